<?php

declare(strict_types=1);

namespace Pushprom\Tests\Outside;

use PHPUnit\Framework\TestCase;
use Pushprom\Client;
use Pushprom\ClientInterface;
use Pushprom\Tests\Support\Server;

/**
 * Pushprom takes all that can be recorded, and shows it as it should.
 */
final class AcceptedTest extends TestCase
{
    private static Server $server;

    public static function setUpBeforeClass(): void
    {
        self::$server = new Server();
    }

    /**
     * @dataProvider records
     * @param callable(ClientInterface): void $record
     * @param array<string, float> $samples
     */
    public function testWhatIsRecordedIsTaken(callable $record, array $samples): void
    {
        $client = new Client(self::$server->url('http'), timeoutMs: 20_000, flushCount: 1_000_000);
        $record($client);
        self::assertTrue($client->flush());
        self::assertSame([], $client->lost());
        $page = self::$server->scrape();
        $shown = [];
        foreach (array_keys($samples) as $sample) {
            $shown[$sample] = $page->value($sample);
        }
        self::assertEquals($samples, $shown);
    }

    /**
     * @return iterable<string, array{callable(ClientInterface): void, array<string, float>}>
     */
    public static function records(): iterable
    {
        yield 'counters' => [
            static function (ClientInterface $client): void {
                $client->counter('c_total', 'C.', ['a' => 'x'])->inc();
                $client->counter('c_total', 'C.', ['a' => 'y'])->add(2.5);
                $client->counter('c_total', 'C.', ['a' => 'z'])->declare();
                $client->counter('c_zero_total')->add(-0.0);
                $client->counter('c_huge_total')->add(PHP_INT_MAX);
                $client->counter('c_huge_total')->add(PHP_INT_MAX);
                $client->counter('c_tiny_total')->add(5e-324);
            },
            [
                'c_total{a="x"}' => 1.0,
                'c_total{a="y"}' => 2.5,
                'c_total{a="z"}' => 0.0,
                'c_zero_total' => 0.0,
                'c_huge_total' => 2.0 ** 64,
                'c_tiny_total' => 5e-324,
            ],
        ];
        yield 'gauges' => [
            static function (ClientInterface $client): void {
                $client->gauge('g', 'G.', ['a' => 'set'])->set(1e300);
                $client->gauge('g', 'G.', ['a' => 'dec'])->dec();
                $client->gauge('g', 'G.', ['a' => 'sub'])->sub(0.1);
                $client->gauge('g', 'G.', ['a' => 'declare'])->declare();
                $client->gauge('g', 'G.', ['a' => 'least'])->set(PHP_INT_MIN);
            },
            [
                'g{a="set"}' => 1e300,
                'g{a="dec"}' => -1.0,
                'g{a="sub"}' => -0.1,
                'g{a="declare"}' => 0.0,
                'g{a="least"}' => -(2.0 ** 63),
            ],
        ];
        yield 'labels' => [
            static function (ClientInterface $client): void {
                $client->gauge('l', labels: ['a' => "\"\\\n/ü\u{1f600}"])->set(1);
                $client->gauge('l', labels: ['a' => "\xff"])->set(2);
                $client->gauge('l', labels: ['a' => "\0"])->set(3);
                $client->gauge('l', labels: ['a' => null])->set(4);
                $client->gauge('l', labels: ['a' => 404, '_1' => true])->set(5);
            },
            [
                "l{a=\"\\\"\\\\\\n/ü\u{1f600}\"}" => 1.0,
                "l{a=\"\u{fffd}\"}" => 2.0,
                "l{a=\"\0\"}" => 3.0,
                'l{a=""}' => 4.0,
                'l{_1="1",a="404"}' => 5.0,
            ],
        ];
        yield 'histograms' => [
            static function (ClientInterface $client): void {
                foreach ([0.0625, 0.5, -1] as $value) {
                    $client->histogram('h_default')->observe($value);
                    $client->histogram('h_own', buckets: [0.1, 1.0, 10])->observe($value);
                    $client->histogram('h_native', native: true)->observe($value);
                    $client->histogram('h_both', buckets: [0.1], native: true)->observe($value);
                }
                $client->histogram('h_declared', buckets: [1])->declare();
            },
            [
                'h_default_bucket{le="0.1"}' => 2.0,
                'h_default_count' => 3.0,
                'h_own_bucket{le="10"}' => 3.0,
                'h_own_sum' => -0.4375,
                'h_native_bucket{le="+Inf"}' => 3.0,
                'h_native_sum' => -0.4375,
                'h_both_bucket{le="0.1"}' => 2.0,
                'h_declared_bucket{le="1"}' => 0.0,
            ],
        ];
        yield 'summaries' => [
            static function (ClientInterface $client): void {
                foreach ([1, 2, 3] as $value) {
                    $client->summary('s_plain')->observe($value);
                    $client->summary('s_ends', objectives: ['0' => 0.0, '1' => 0.0])->observe($value);
                    $client->summary('s_half', objectives: ['0.5' => 0.05])->observe(100);
                }
                $client->summary('s_declared')->declare();
            },
            [
                's_plain_sum' => 6.0,
                's_plain_count' => 3.0,
                's_ends_count' => 3.0,
                's_half_count' => 3.0,
                's_declared_count' => 0.0,
            ],
        ];
        yield 'more observations than a body has room for' => [
            static function (ClientInterface $client): void {
                foreach (range(0, 199_999) as $i) {
                    $client->summary('s_many')->observe($i / 1_048_576);
                }
            },
            ['s_many_count' => 200_000.0],
        ];
    }

    public function testQuantilesOfAllKindsAreShown(): void
    {
        $client = new Client(self::$server->url('http'), timeoutMs: 20_000, flushCount: 1_000_000);
        $quantiles = ['0' => 0.1, '0.5' => 0.05, '1' => 0.1];
        $client->summary('s_quantiles', objectives: $quantiles)->observe(100);
        self::assertTrue($client->flush());
        foreach (array_keys($quantiles) as $quantile) {
            $shown = self::$server->scrape()->value("s_quantiles{quantile=\"$quantile\"}");
            self::assertEqualsWithDelta(100.0, $shown, 1.1);
        }
    }
}
