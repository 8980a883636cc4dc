<?php

declare(strict_types=1);

namespace Pushprom\Tests\Outside;

use PHPUnit\Framework\TestCase;
use Pushprom\Tests\Support\Certificates;
use Pushprom\Tests\Support\FakeServer;
use Pushprom\Tests\Support\Folder;
use Pushprom\Tests\Support\Page;
use Pushprom\Tests\Support\Script;
use Pushprom\Tests\Support\Server;
use Pushprom\Tests\Support\Site;
use Pushprom\Tests\Support\Wait;

final class FpmTest extends TestCase
{
    private const REQUESTS = 2_000;

    private const CONCURRENCY = 32;

    /** How long a flush may take; a page that waits for it is late. */
    private const TIMEOUT_MS = 2_000;

    private const LATE_MS = 1_000;

    /** In an application that makes the least of troubles an exception. Behind its end, it reports what was lost. */
    private const PAGE = <<<'PHP'
        set_error_handler(static function (int $level, string $message): never {
            throw new ErrorException($message);
        });
        $client = new Client(
            getenv('PUSHPROM_URL'),
            caFile: getenv('CA_FILE') ?: null,
            connectTimeoutMs: (int) getenv('TIMEOUT_MS'),
            timeoutMs: (int) getenv('TIMEOUT_MS'),
            finishRequest: getenv('FINISH') !== 'no'
        );
        for ($i = 0; $i < 20; $i++) {
            $client->counter("page_{$i}_total")->inc();
        }
        afterClients(static function () use ($client): void {
            if (getenv('REPORT') !== false) {
                file_put_contents(getenv('REPORT'), json_encode($client->lost()) . "\n", FILE_APPEND | LOCK_EX);
            }
        });
        echo 'page';
        PHP;

    /**
     * @param list<string> $flags
     * @dataProvider reliable
     */
    public function testAllThatPagesRecordCounts(string $scheme, array $flags): void
    {
        $certificates = new Certificates();
        $settings = Folder::make() . '/web.yml';
        file_put_contents($settings, $scheme === 'https' ? $certificates->serverSettings('IP:127.0.0.1') : '');
        $server = new Server(["-web.config.file=$settings"], $scheme === 'https' ? 'https' : 'http');
        $environment = ['TIMEOUT_MS' => '10000', 'CA_FILE' => $certificates->authorityFile()];
        $site = self::site($server->url($scheme), $flags, $environment);
        $site->load(self::REQUESTS, self::CONCURRENCY);
        // The last of them send when the load tool has its page already.
        $all = 20.0 * self::REQUESTS;
        Wait::for('all that was recorded', static fn () => $server->scrape()->sum('page_') >= $all);
        self::assertSame($all, $server->catchUp()->sum('page_'));
        self::assertSame('', $site->complaints());
    }

    /**
     * @return iterable<string, array{string, list<string>}>
     */
    public static function reliable(): iterable
    {
        yield 'unix' => ['unix', []];
        foreach (Script::EXCHANGES as $exchange => $flags) {
            yield "http, $exchange" => ['http', $flags];
            yield "https, $exchange" => ['https', $flags];
        }
    }

    /**
     * A request sends one datagram. So each that the kernel dropped stands for 20 deltas.
     */
    public function testWhatIsLostOverUdpIsCounted(): void
    {
        $server = new Server(['-udp.receive-buffer-bytes=4096']);
        $site = self::site($server->url('udp'), []);
        // It sleeps while the first come, for whom there is no room.
        $server->process()->pause();
        $site->load(intdiv(self::REQUESTS, 4), self::CONCURRENCY);
        $server->process()->resume();
        $site->load(self::REQUESTS - intdiv(self::REQUESTS, 4), self::CONCURRENCY);
        $page = Wait::for('the fate of all datagrams', static function () use ($server): ?Page {
            $page = $server->scrape();
            // A datagram is counted a moment before its deltas are.
            $known = $page->sum('page_') + 20 * $page->value('pushprom_udp_dropped_total');

            return $known >= 20 * self::REQUESTS ? $page : null;
        });
        $dropped = (float) $page->value('pushprom_udp_dropped_total');
        self::assertGreaterThan(0.0, $dropped);
        self::assertSame((float) self::REQUESTS, $page->value('pushprom_udp_packets_total') + $dropped);
        self::assertSame(20.0 * self::REQUESTS, $page->sum('page_') + 20 * $dropped);
        self::assertSame('', $site->complaints());
    }

    /**
     * @param array{string, string}|null $turn
     * @param array<string, int> $lost
     * @param list<string> $flags
     * @dataProvider failures
     */
    public function testPagesAreThereBeforeTheirFlush(?array $turn, array $lost, array $flags): void
    {
        $server = new FakeServer($turn === null ? null : [$turn]);
        $report = Folder::make() . '/report';
        $site = self::site("http://$server->address", $flags, ['REPORT' => $report]);
        self::assertRendered($site);
        self::assertSame($lost, json_decode(self::reported($report), true));
    }

    /**
     * @return iterable<string, array{array{string, string}|null, array<string, int>, list<string>}>
     */
    public static function failures(): iterable
    {
        $endless = "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n";
        foreach (Script::EXCHANGES as $exchange => $flags) {
            yield "nobody accepts, $exchange" => [null, ['timeout' => 20], $flags];
            yield "no answer, $exchange" => [['', FakeServer::HANG], ['timeout' => 20], $flags];
            yield "a trickle, $exchange" => [[$endless, FakeServer::TRICKLE], ['timeout' => 20], $flags];
            yield "an end, $exchange" => [['', FakeServer::CLOSE], ['unreachable' => 20], $flags];
            foreach ([400, 401, 413, 500] as $status) {
                $turn = [FakeServer::answer($status, 'no'), FakeServer::KEEP];
                yield "$status, $exchange" => [$turn, ['refused' => 20], $flags];
            }
            yield "503, $exchange" => [[FakeServer::answer(503), FakeServer::KEEP], ['unavailable' => 20], $flags];
        }
    }

    /**
     * @dataProvider absent
     */
    public function testPagesAreThereWithoutAServer(string $url): void
    {
        self::assertRendered(self::site($url, []));
    }

    /**
     * @return iterable<string, array{string}>
     */
    public static function absent(): iterable
    {
        yield 'http' => ['http://127.0.0.1:1'];
        yield 'https' => ['https://127.0.0.1:1'];
        yield 'udp' => ['udp://127.0.0.1:1'];
        yield 'unix' => ['unix:///nowhere/push.sock'];
    }

    /**
     * @param array<string, int> $lost
     * @dataProvider hanging
     */
    public function testPagesAreThereWhileTheServerHangs(string $scheme, array $lost): void
    {
        $server = new Server();
        $server->hang();
        $report = Folder::make() . '/report';
        $site = self::site($server->url($scheme), [], ['REPORT' => $report]);
        self::assertRendered($site);
        self::assertSame($lost, json_decode(self::reported($report), true));
        $server->process()->resume();
    }

    /**
     * @return iterable<string, array{string, array<string, int>}>
     */
    public static function hanging(): iterable
    {
        yield 'http' => ['http', ['timeout' => 20]];
        yield 'unix' => ['unix', ['timeout' => 20]];
        // It waits for the server in the kernel.
        yield 'udp' => ['udp', []];
    }

    /**
     * What shows that the others would have been late, had they waited.
     */
    public function testAPageWaitsIfItMustNotBeFinished(): void
    {
        $server = new FakeServer([['', FakeServer::HANG]]);
        [, $page, $took] = self::site("http://$server->address", [], ['FINISH' => 'no'])->get();
        self::assertSame('page', $page);
        self::assertGreaterThanOrEqual(self::TIMEOUT_MS, $took);
    }

    /**
     * @dataProvider pools
     */
    public function testWithApcuOneRequestFindsOutForThePool(string $apcu, int $requests): void
    {
        $server = new FakeServer([[FakeServer::answer(503, '', 'Retry-After: 15'), FakeServer::KEEP]]);
        $report = Folder::make() . '/report';
        $site = self::site("http://$server->address", ['-d', "apc.enabled=$apcu"], ['REPORT' => $report]);
        for ($request = 1; $request <= 4; $request++) {
            self::assertRendered($site);
            self::assertSame(str_repeat("{\"unavailable\":20}\n", $request), self::reported($report, $request));
        }
        self::assertCount($requests, $server->requests());
    }

    /**
     * @return iterable<string, array{string, int}> and how many requests reach a server that is not well
     */
    public static function pools(): iterable
    {
        yield 'with it' => ['1', 1];
        yield 'without it' => ['0', 4];
    }

    private static function assertRendered(Site $site): void
    {
        [$status, $page, $took] = $site->get();
        self::assertSame(['HTTP/1.1 200 OK', 'page'], [$status, $page]);
        self::assertLessThan(self::LATE_MS, $took);
        self::assertSame('', $site->complaints());
    }

    /**
     * What requests have reported, a line each, once so many of them have.
     */
    private static function reported(string $report, int $requests = 1): string
    {
        return Wait::for('the end of a flush', static function () use ($report, $requests): ?string {
            $lines = is_file($report) ? (string) file_get_contents($report) : '';

            return substr_count($lines, "\n") >= $requests ? $lines : null;
        });
    }

    /**
     * @param list<string> $flags
     * @param array<string, string> $environment
     */
    private static function site(string $url, array $flags, array $environment = []): Site
    {
        $environment += ['PUSHPROM_URL' => $url, 'TIMEOUT_MS' => (string) self::TIMEOUT_MS];

        return new Site(self::PAGE, $environment, $flags);
    }
}
