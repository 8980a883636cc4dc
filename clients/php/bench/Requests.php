<?php

declare(strict_types=1);

namespace Pushprom\Bench;

use Pushprom\Client;

/**
 * Requests as an application has them: each makes a client, records, and lets the client go.
 */
final class Requests
{
    /**
     * @param string $client `old` or `new`
     * @param string $url of Pushprom
     * @return array<string, float> what they have cost together, in microseconds, and how many deltas were lost
     */
    public static function play(string $client, string $url, string $app, int $requests): array
    {
        $costs = ['recording' => 0.0, 'flushing' => 0.0, 'lost' => 0.0];
        [$user, $system] = self::cpu();
        for ($played = 0; $played < $requests; $played++) {
            $start = hrtime(true);
            $one = $client === 'old' ? new OldClient($url, ['app' => $app]) : new Client($url, ['app' => $app]);
            Workload::record($one);
            $recorded = hrtime(true);
            if ($one instanceof Client) {
                $one->flush();
                $costs['lost'] += array_sum($one->lost());
            }
            $one = null;
            $costs['recording'] += ($recorded - $start) / 1000;
            $costs['flushing'] += (hrtime(true) - $recorded) / 1000;
        }
        [$userAfter, $systemAfter] = self::cpu();

        return $costs + ['user' => $userAfter - $user, 'system' => $systemAfter - $system];
    }

    /**
     * @return array{float, float} of this process: as user, and in the kernel
     */
    private static function cpu(): array
    {
        $usage = getrusage() ?: throw new \RuntimeException('the system does not tell what processes use');

        return [
            $usage['ru_utime.tv_sec'] * 1e6 + $usage['ru_utime.tv_usec'],
            $usage['ru_stime.tv_sec'] * 1e6 + $usage['ru_stime.tv_usec'],
        ];
    }
}
