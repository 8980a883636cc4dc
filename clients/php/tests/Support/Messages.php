<?php

declare(strict_types=1);

namespace Pushprom\Tests\Support;

use Pushprom\Buffer;
use Pushprom\Method;
use Pushprom\Pending;
use Pushprom\Recorder;
use Pushprom\Series;

/**
 * A client that shows what each flush would have sent.
 */
final class Messages extends Recorder
{
    /** @var list<array<string, int|float|string>> what happened, by series as on the page */
    public array $sent = [];

    /** @var list<Pending> all that were sent, with their buckets and the like */
    public array $changes = [];

    private Buffer $buffer;

    private int $lost = 0;

    public function __construct()
    {
        parent::__construct();
        $this->buffer = new Buffer();
    }

    public function record(Series $series, Method $method, int|float $value = 0): void
    {
        if ($series->fault !== null || $this->buffer->record($series, $method, $value) !== null) {
            $this->lost += 1;
        }
    }

    public function flush(): bool
    {
        $changes = $this->buffer->take();
        if ($changes !== []) {
            $this->changes = [...$this->changes, ...$changes];
            $this->sent[] = array_merge(...array_map(self::show(...), $changes));
        }

        return true;
    }

    public function lost(): array
    {
        return $this->lost === 0 ? [] : ['test' => $this->lost];
    }

    /**
     * All that was recorded since the last flush, as one message; that is flushed by this.
     *
     * @return array<string, int|float|string>
     */
    public function rest(): array
    {
        $before = count($this->sent);
        $this->flush();

        return $this->sent[$before] ?? [];
    }

    /**
     * @return array<string, int|float|string>
     */
    private static function show(Pending $change): array
    {
        $labels = [];
        foreach ($change->series->labels as $name => $value) {
            $labels[] = "$name=\"$value\"";
        }
        $series = $change->series->name . ($labels === [] ? '' : '{' . implode(',', $labels) . '}');

        return [
            $series => match ($change->method) {
                Method::Add => $change->value,
                Method::Set => "set to $change->value",
                Method::Observe => 'observed ' . count($change->observed),
                Method::Declare => 'declared',
            },
        ];
    }
}
