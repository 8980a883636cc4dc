<?php

declare(strict_types=1);

namespace Pushprom\Tests\Outside;

use PHPUnit\Framework\TestCase;
use pushprom\Connection;
use pushprom\Counter;
use pushprom\Gauge;
use pushprom\Histogram;
use pushprom\Summary;
use Pushprom\Tests\Support\Process;
use Pushprom\Tests\Support\Server;

/**
 * The classes of the old client and the real server.
 */
final class DropinTest extends TestCase
{
    /**
     * @dataProvider schemes
     */
    public function testWhatIsPushedIsOnThePage(string $scheme, ?string $ok): void
    {
        $server = new Server();
        $connection = new Connection($server->url($scheme), ['job' => 'shop']);
        $counter = new Counter($connection, 'a_total', 'As.', ['status' => 200]);
        self::assertSame($ok, $counter->inc());
        self::assertSame($ok, $counter->add(2.5));
        $gauge = new Gauge($connection, 'g', 'G.');
        self::assertSame([$ok, $ok, $ok, $ok, $ok], [
            $gauge->set('10'),
            $gauge->inc(),
            $gauge->dec(),
            $gauge->add(5),
            $gauge->sub(1),
        ]);
        self::assertSame($ok, (new Histogram($connection, 'h', 'H.'))->observe(3, [1, 5]));
        self::assertSame($ok, (new Summary($connection, 's', 'S.'))->observe(100));

        $page = $server->catchUp();
        self::assertSame(3.5, $page->value('a_total{job="shop",status="200"}'));
        self::assertSame(14.0, $page->value('g{job="shop"}'));
        self::assertSame(1.0, $page->value('h_bucket{job="shop",le="5"}'));
        self::assertSame(100.0, $page->value('s_sum{job="shop"}'));
    }

    /**
     * @return iterable<string, array{string, string|null}>
     */
    public static function schemes(): iterable
    {
        yield 'http' => ['http', 'ok'];
        yield 'udp' => ['udp', null];
        yield 'unix' => ['unix', null];
    }

    public function testNeedsNoExtension(): void
    {
        $server = new Server();
        $code = 'require $argv[1]; $connection = new pushprom\Connection($argv[2]);'
            . 'echo extension_loaded("curl") ? "curl: " : "";'
            . 'echo (new pushprom\Counter($connection, "a_total", "As."))->inc();';
        $bootstrap = dirname(__DIR__) . '/bootstrap.php';
        // With -n, PHP reads no configuration, and has only the extensions that it was built with.
        $script = new Process([PHP_BINARY, '-n', '-r', $code, $bootstrap, $server->url('http')]);
        self::assertSame(0, $script->wait());
        self::assertSame(['ok', ''], [$script->output(), $script->errors()]);
        self::assertSame(1.0, $server->scrape()->value('a_total'));
    }

    public function testACounterCannotBeSet(): void
    {
        $server = new Server();
        $connection = new Connection($server->url('http'), [], static fn () => null);
        $said = (new Counter($connection, 'a_total', 'As.'))->set(1);
        self::assertIsString($said);
        self::assertStringContainsString('set', $said);
        self::assertSame(0.0, $server->scrape()->sum('a_total'));
    }

    /**
     * @dataProvider schemes
     */
    public function testWhatIsGatheredIsSentAtTheEndOfTheScript(string $scheme): void
    {
        $server = new Server();
        $script = new Process([PHP_BINARY, __DIR__ . '/gathers.php', $server->url($scheme)]);
        self::assertSame(0, $script->wait());
        self::assertSame('the page', $script->output());
        self::assertSame('', $script->errors());

        $page = $server->catchUp();
        self::assertSame(10.0, $page->value('a_total{job="shop"}'));
        self::assertSame(3.0, $page->value('h_count{job="shop"}'));
        // Beside the one delta there is the mark that catchUp() sends.
        $counters = $scheme === 'http' ? 1.0 : 2.0;
        $applied = 'pushprom_deltas_applied_total{kind="%s",transport="%s"}';
        self::assertSame($counters, $page->value(sprintf($applied, 'counter', $scheme)));
        self::assertSame(1.0, $page->value(sprintf($applied, 'histogram', $scheme)));
    }
}
