<?php

declare(strict_types=1);

namespace Pushprom\Tests\Support;

/**
 * What Pushprom makes of deltas, in the simplest way: one after the other.
 */
final class Model
{
    /** @var array<string, array<string, mixed>> */
    private array $series = [];

    /**
     * @param array<string, mixed> $delta
     */
    public function apply(array $delta): void
    {
        $key = json_encode([$delta['type'], $delta['name'], $delta['labels'] ?? []]);
        $state = $this->series[$key] ?? ['value' => 0.0, 'count' => 0, 'sum' => 0.0, 'last' => null];
        $value = $delta['value'] ?? 0;
        switch ($delta['method']) {
            case 'inc':
                $state['value'] += 1;
                break;
            case 'add':
                $state['value'] += $value;
                break;
            case 'set':
                $state['value'] = (float) $value;
                break;
            case 'observe':
                foreach ((array) $value as $one) {
                    $state['count'] += 1;
                    $state['sum'] += $one;
                    $state['last'] = (float) $one;
                }
                break;
            case 'declare':
                break;
            default:
                throw new \LogicException("method {$delta['method']}");
        }
        if (($delta['help'] ?? '') !== '') {
            $state['help'] = $delta['help'];
        }
        $this->series[$key] = $state;
    }

    /**
     * @return array<string, array<string, mixed>>
     */
    public function series(): array
    {
        ksort($this->series);

        return $this->series;
    }
}
