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
     */
    public static function play(string $client, string $url, string $app, int $requests): Costs
    {
        $recording = 0;
        $flushing = 0;
        $lost = 0;
        $before = Costs::cpuUntilNow();
        for ($played = 0; $played < $requests; $played++) {
            $start = hrtime(true);
            $one = $client === 'old' ? new OldClient($url, ['app' => $app]) : new Client($url, ['app' => $app]);
            Workload::record($one);
            $recorded = hrtime(true);
            if ($one instanceof Client) {
                $one->flush();
                $lost += array_sum($one->lost());
            }
            $one = null;
            $recording += $recorded - $start;
            $flushing += hrtime(true) - $recorded;
        }

        return Costs::cpuUntilNow()->plus($before, -1)->plus(new Costs(0, 0, $recording / 1e3, $flushing / 1e3, $lost));
    }
}
