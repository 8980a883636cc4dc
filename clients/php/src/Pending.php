<?php

declare(strict_types=1);

namespace Pushprom;

/**
 * What has happened to a series and has not been sent: all of it, composed into one change.
 *
 * @internal
 */
final class Pending
{
    /** @var list<int|float> */
    public array $observed = [];

    public int|float $value = 0;

    public string $help;

    public function __construct(public readonly Series $series, public Method $method)
    {
        $this->help = $series->help;
    }

    /**
     * Composes a change into this one.
     *
     * @return bool whether it could be; nothing has changed if not
     */
    public function compose(Method $method, int|float $value): bool
    {
        switch ($method) {
            case Method::Observe:
                $this->observed[] = $value;
                $this->method = Method::Observe;
                break;
            case Method::Set:
                $this->value = $value;
                $this->method = Method::Set;
                break;
            case Method::Add:
                $sum = $this->value + $value;
                if (!\is_finite($sum)) {
                    return false;
                }
                $this->value = $sum;
                if ($this->method === Method::Declare) {
                    $this->method = Method::Add;
                }
                break;
            case Method::Declare:
                // A series that changes is there.
                break;
        }

        return true;
    }
}
