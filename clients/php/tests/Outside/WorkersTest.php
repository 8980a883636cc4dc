<?php

declare(strict_types=1);

namespace Pushprom\Tests\Outside;

use PHPUnit\Framework\TestCase;
use Pushprom\Tests\Support\Folder;
use Pushprom\Tests\Support\Process;
use Pushprom\Tests\Support\Script;
use Pushprom\Tests\Support\Server;
use Pushprom\Tests\Support\Wait;

/**
 * Processes that run on, whether or not the server does.
 */
final class WorkersTest extends TestCase
{
    /** Does jobs until a file is there, and then sends what it still has. */
    private const WORKER = <<<'PHP'
        [, $url, $flushes, $end] = $argv;
        $interval = $flushes === 'interval' ? 0.02 : 1e9;
        $count = $flushes === 'count' ? 7 : 1_000_000;
        $client = new Client($url, timeoutMs: 300, flushIntervalSeconds: $interval, flushCount: $count);
        for ($jobs = 1; !file_exists($end); $jobs++) {
            $client->counter('jobs_total')->inc();
            $client->summary('job_bytes')->observe(100);
            if ($flushes === 'job') {
                $client->flush();
            }
            echo "$jobs\n";
            usleep(2_000);
            clearstatcache();
        }
        while (!$client->flush()) {
            usleep(10_000);
        }
        echo json_encode(['jobs' => $jobs - 1, 'lost' => $client->lost()]);
        PHP;

    /** Begins 30,000 series in the time between two files, and then sends what it still has. */
    private const HOARDER = <<<'PHP'
        [, $url, $begin, $end] = $argv;
        $client = new Client($url);
        $client->gauge('up')->set(1);
        $client->flush();
        echo "ready\n";
        while (!file_exists($begin)) {
            usleep(1_000);
            clearstatcache();
        }
        for ($i = 0; $i < 30_000; $i++) {
            $client->counter('orders_total', '', ['number' => (string) $i])->inc();
        }
        echo "gathered\n";
        while (!file_exists($end)) {
            usleep(1_000);
            clearstatcache();
        }
        while (!$client->flush()) {
            usleep(10_000);
        }
        echo json_encode($client->lost());
        PHP;

    /**
     * @param list<string> $flags
     * @dataProvider workers
     */
    public function testEveryJobCountsOnceThoughTheServerIsKilled(string $flushes, array $flags): void
    {
        $server = self::durable();
        $this->disturb($server, 'http', $flushes, $flags, $server->kill(...), $server->restart(...));
    }

    /**
     * @param list<string> $flags
     * @dataProvider workers
     */
    public function testEveryJobCountsOnceThoughTheServerHangs(string $flushes, array $flags): void
    {
        $server = self::durable();
        [$pause, $resume] = [$server->process()->pause(...), $server->process()->resume(...)];
        $this->disturb($server, 'http', $flushes, $flags, $pause, $resume);
    }

    /**
     * @return iterable<string, array{string, list<string>}> when they flush
     */
    public static function workers(): iterable
    {
        foreach (Script::EXCHANGES as $exchange => $flags) {
            foreach (['job', 'interval', 'count'] as $flushes) {
                yield "by $flushes, $exchange" => [$flushes, $flags];
            }
        }
    }

    /**
     * @dataProvider datagrams
     */
    public function testEveryJobCountsOnceOverDatagrams(string $scheme, string $flushes): void
    {
        $nothing = static fn () => null;
        $this->disturb(new Server(), $scheme, $flushes, [], $nothing, $nothing);
    }

    /**
     * @return iterable<string, array{string, string}>
     */
    public static function datagrams(): iterable
    {
        foreach (['unix', 'udp'] as $scheme) {
            foreach (['job', 'interval', 'count'] as $flushes) {
                yield "$scheme by $flushes" => [$scheme, $flushes];
            }
        }
    }

    /**
     * @param list<string> $flags
     * @dataProvider exchanges
     */
    public function testWhatIsTooMuchToWaitIsToldAfterwards(array $flags): void
    {
        $server = self::durable();
        $folder = Folder::make();
        $worker = Script::start(self::HOARDER, [$server->url('http'), "$folder/begin", "$folder/end"], $flags);
        self::waitForOutput($worker, "ready\n");
        $server->kill();
        touch("$folder/begin");
        self::waitForOutput($worker, "gathered\n");
        $server->restart();
        touch("$folder/end");
        self::assertSame([0, ''], [$worker->wait(), $worker->errors()]);
        $lost = json_decode((string) strrchr($worker->output(), '{'), true);
        self::assertSame(['unreachable'], array_keys($lost));
        $page = $server->scrape();
        self::assertSame((float) $lost['unreachable'], $page->value('pushclient_lost_total{reason="unreachable"}'));
        self::assertSame(30_000.0, $page->sum('orders_total') + $lost['unreachable']);
        self::assertGreaterThan(0.0, $page->sum('orders_total'));
    }

    /**
     * @return iterable<string, array{list<string>}>
     */
    public static function exchanges(): iterable
    {
        foreach (Script::EXCHANGES as $exchange => $flags) {
            yield $exchange => [$flags];
        }
    }

    /**
     * What it has answered outlives its end, and so do the keys.
     */
    private static function durable(): Server
    {
        return new Server(['-storage.path=' . Folder::make(), '-storage.ack=commit']);
    }

    /**
     * @param list<string> $flags
     */
    private function disturb(
        Server $server,
        string $scheme,
        string $flushes,
        array $flags,
        callable $begin,
        callable $end
    ): void {
        $file = Folder::make() . '/end';
        $worker = Script::start(self::WORKER, [$server->url($scheme), $flushes, $file], $flags);
        for ($time = 0; $time < 2; $time++) {
            $before = (float) $server->scrape()->value('jobs_total');
            Wait::for('jobs that count', static fn () => $server->scrape()->value('jobs_total') > $before + 20);
            $begin();
            $done = self::jobs($worker);
            Wait::for('jobs in the meantime', static fn () => self::jobs($worker) > $done + 50);
            $end();
        }
        touch($file);
        self::assertSame([0, ''], [$worker->wait(), $worker->errors()]);
        $result = json_decode((string) strrchr($worker->output(), '{'), true);
        self::assertSame([], $result['lost']);
        $page = $server->catchUp();
        self::assertSame((float) $result['jobs'], $page->value('jobs_total'));
        self::assertSame((float) $result['jobs'], $page->value('job_bytes_count'));
    }

    /**
     * How many it has done.
     */
    private static function jobs(Process $worker): int
    {
        return substr_count($worker->output(), "\n");
    }

    private static function waitForOutput(Process $worker, string $end): void
    {
        Wait::for("\"$end\"", static fn () => str_ends_with($worker->output(), $end));
    }
}
