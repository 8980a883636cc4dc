<?php

declare(strict_types=1);

namespace Pushprom\Dropin;

use Pushprom\ClientInterface;

/**
 * Deltas as arrays, the way the old client passes them on.
 *
 * @internal
 */
final class RawDelta
{
    private const FIELDS = ['type', 'name', 'help', 'labels', 'value', 'method', 'buckets'];

    /**
     * Records a delta, if it is one that composes with others.
     *
     * @param array<mixed> $delta
     * @return bool whether it is; nothing has been recorded if not
     */
    public static function record(ClientInterface $client, array $delta): bool
    {
        $type = $delta['type'] ?? null;
        $method = $delta['method'] ?? null;
        $name = $delta['name'] ?? null;
        $help = $delta['help'] ?? '';
        $labels = $delta['labels'] ?? [];
        $value = $delta['value'] ?? 0;
        $buckets = self::buckets($delta['buckets'] ?? []);
        if (
            !\is_string($type)
            || !\is_string($method)
            || !\is_string($name)
            || !\is_string($help)
            || !\is_array($labels)
            || !(\is_int($value) || \is_float($value))
            || $buckets === null
            || \array_diff(\array_keys($delta), self::FIELDS) !== []
        ) {
            return false;
        }
        switch ("$type $method") {
            case 'counter inc':
                $client->counter($name, $help, $labels)->inc();
                break;
            case 'counter add':
                $client->counter($name, $help, $labels)->add($value);
                break;
            case 'gauge set':
                $client->gauge($name, $help, $labels)->set($value);
                break;
            case 'gauge inc':
                $client->gauge($name, $help, $labels)->inc();
                break;
            case 'gauge dec':
                $client->gauge($name, $help, $labels)->dec();
                break;
            case 'gauge add':
                $client->gauge($name, $help, $labels)->add($value);
                break;
            case 'gauge sub':
                $client->gauge($name, $help, $labels)->sub($value);
                break;
            case 'histogram observe':
                $client->histogram($name, $help, $labels, $buckets)->observe($value);
                break;
            case 'summary observe':
                $client->summary($name, $help, $labels)->observe($value);
                break;
            default:
                return false;
        }

        return true;
    }

    /**
     * @return list<int|float>|null none if they are no bounds
     */
    private static function buckets(mixed $buckets): ?array
    {
        if (!\is_array($buckets)) {
            return null;
        }
        $bounds = [];
        foreach ($buckets as $bound) {
            if (!\is_int($bound) && !\is_float($bound)) {
                return null;
            }
            $bounds[] = $bound;
        }

        return \array_is_list($buckets) ? $bounds : null;
    }
}
