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

    /**
     * @param Method $method the first change
     */
    public function __construct(public readonly Series $series, public Method $method, int|float $value)
    {
        $this->help = $series->help;
        if ($method === Method::Observe) {
            $this->observed[] = $value;
        } else {
            $this->value = $value;
        }
    }

    /**
     * Composes a later change into this one.
     *
     * @return bool whether it could be; nothing has changed if not
     */
    public function compose(Method $method, int|float $value): bool
    {
        if ($method === Method::Add) {
            $sum = $this->value + $value;
            if (!\is_finite($sum)) {
                return false;
            }
            $this->value = $sum;
            if ($this->method === Method::Declare) {
                $this->method = Method::Add;
            }
        } elseif ($method === Method::Observe) {
            $this->observed[] = $value;
            $this->method = Method::Observe;
        } elseif ($method === Method::Set) {
            $this->value = $value;
            $this->method = Method::Set;
        }

        // What is left is a declaration: a series that has changed is there.
        return true;
    }
}
