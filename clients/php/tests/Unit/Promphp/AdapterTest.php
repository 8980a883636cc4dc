<?php

declare(strict_types=1);

namespace Pushprom\Tests\Unit\Promphp;

use PHPUnit\Framework\TestCase;
use Prometheus\CollectorRegistry;
use Prometheus\Exception\MetricNotFoundException;
use Prometheus\Exception\MetricsRegistrationException;
use Prometheus\Histogram;
use Prometheus\RegistryInterface;
use Prometheus\RenderTextFormat;
use Prometheus\Storage\Adapter as Storage;
use Pushprom\ClientFactory;
use Pushprom\Promphp\Adapter;
use Pushprom\RecordingClient;
use Pushprom\Tests\Support\ThrowingLogger;

final class AdapterTest extends TestCase
{
    /**
     * @dataProvider records
     * @param callable(CollectorRegistry): void $record
     * @param array<string, mixed> ...$deltas
     */
    public function testWhatTheLibraryRecordsIsPushed(callable $record, array ...$deltas): void
    {
        $client = new RecordingClient();
        $record(new CollectorRegistry(new Adapter($client), false));

        self::assertEquals($deltas, $client->deltas());
        self::assertSame([], $client->lost());
    }

    /**
     * @return iterable<string, array{callable(CollectorRegistry): void}> and deltas
     */
    public static function records(): iterable
    {
        $orders = ['type' => 'counter', 'name' => 'shop_orders_total', 'help' => 'Orders.'];
        yield 'a counter' => [
            static function (CollectorRegistry $registry): void {
                $counter = $registry->getOrRegisterCounter('shop', 'orders_total', 'Orders.', ['kind', 'page']);
                $counter->inc(['book', '1']);
                $counter->incBy(3, ['book', '1']);
                $counter->incBy(0.5, ['pen', '2']);
            },
            $orders + ['labels' => ['kind' => 'book', 'page' => '1'], 'method' => 'add', 'value' => 4],
            $orders + ['labels' => ['kind' => 'pen', 'page' => '2'], 'method' => 'add', 'value' => 0.5],
        ];
        $queue = ['type' => 'gauge', 'name' => 'queue', 'help' => 'Jobs.'];
        yield 'a gauge that is set' => [
            static fn (CollectorRegistry $registry) => $registry->getOrRegisterGauge('', 'queue', 'Jobs.')->set(7),
            $queue + ['method' => 'set', 'value' => 7],
        ];
        yield 'a gauge that goes up and down' => [
            static function (CollectorRegistry $registry): void {
                $gauge = $registry->getOrRegisterGauge('', 'queue', 'Jobs.');
                $gauge->incBy(5);
                $gauge->inc();
                $gauge->decBy(2.5);
                $gauge->dec();
            },
            $queue + ['method' => 'add', 'value' => 2.5],
        ];
        $took = ['type' => 'histogram', 'name' => 'took_seconds', 'help' => 'Time.', 'method' => 'observe'];
        yield 'a histogram' => [
            static function (CollectorRegistry $registry): void {
                $histogram = $registry->getOrRegisterHistogram('', 'took_seconds', 'Time.', ['page'], [0.1, 1]);
                $histogram->observe(0.5, ['home']);
                $histogram->observe(2, ['home']);
            },
            $took + ['labels' => ['page' => 'home'], 'buckets' => [0.1, 1], 'value' => [0.5, 2]],
        ];
        yield 'a histogram with a bucket for the rest' => [
            static fn (CollectorRegistry $registry)
                => $registry->getOrRegisterHistogram('', 'took_seconds', 'Time.', [], [0.1, 1, INF])->observe(3),
            $took + ['buckets' => [0.1, 1], 'value' => 3],
        ];
        yield 'a histogram with buckets that grow' => [
            static fn (CollectorRegistry $registry) => $registry
                ->registerHistogram('', 'took_seconds', 'Time.', [], Histogram::exponentialBuckets(1, 2, 3))
                ->observe(3),
            $took + ['buckets' => [1, 2, 4], 'value' => 3],
        ];
        yield 'a metric that is registered in one place and counts in another' => [
            static function (RegistryInterface $registry): void {
                $registry->registerGauge('', 'queue', 'Jobs.');
                $registry->getGauge('', 'queue')->set(7);
            },
            $queue + ['method' => 'set', 'value' => 7],
        ];
        $bytes = ['type' => 'summary', 'name' => 'page_bytes', 'help' => 'Size.', 'method' => 'observe'];
        yield 'a summary' => [
            static fn (CollectorRegistry $registry)
                => $registry->getOrRegisterSummary('', 'page_bytes', 'Size.', [], 84600, [0.01, 0.5, 0.999])
                    ->observe(100),
            $bytes + ['objectives' => ['0.01' => 0.001, '0.5' => 0.05, '0.999' => 0.0001], 'value' => 100],
        ];
    }

    /**
     * @dataProvider refusals
     * @param callable(CollectorRegistry): mixed $record
     * @param class-string<\Throwable> $error
     */
    public function testWhatTheLibraryRefusesIsNotPushed(callable $record, string $error): void
    {
        $client = new RecordingClient();
        try {
            $record(new CollectorRegistry(new Adapter($client), false));
            self::fail('nothing was thrown');
        } catch (\Exception $thrown) {
            self::assertInstanceOf($error, $thrown);
        }

        self::assertSame([], $client->deltas());
    }

    /**
     * @return iterable<string, array{callable(CollectorRegistry): mixed, class-string<\Throwable>}>
     */
    public static function refusals(): iterable
    {
        yield 'a metric twice' => [static function (CollectorRegistry $registry): void {
            $registry->registerCounter('', 'orders_total', 'Orders.');
            $registry->registerCounter('', 'orders_total', 'Orders.');
        }, MetricsRegistrationException::class];
        yield 'a metric that there is not' => [
            static fn (CollectorRegistry $registry) => $registry->getSummary('', 'page_bytes'),
            MetricNotFoundException::class,
        ];
        $calls = [
            'a name' => ['Counter', 'orders-total', []],
            'a label' => ['Counter', 'orders_total', ['__kind']],
            'buckets that fall' => ['Histogram', 'took_seconds', [], [1, 0.1]],
            'the label of buckets' => ['Histogram', 'took_seconds', ['le']],
            'a quantile' => ['Summary', 'page_bytes', [], 600, [0.5, 1]],
            'the label of quantiles' => ['Summary', 'page_bytes', ['quantile']],
        ];
        foreach ($calls as $what => [$type, $name, $labels]) {
            $rest = array_slice($calls[$what], 3);
            yield $what => [
                static fn (CollectorRegistry $registry)
                    => $registry->{"getOrRegister$type"}('', $name, 'Help.', $labels, ...$rest),
                \InvalidArgumentException::class,
            ];
        }
        yield 'too few values of labels' => [
            static fn (CollectorRegistry $registry)
                => $registry->registerCounter('', 'orders_total', 'Orders.', ['kind'])->inc(),
            \InvalidArgumentException::class,
        ];
    }

    public function testTheMetricOfTheLibraryItselfIsPushed(): void
    {
        $client = new RecordingClient();
        new CollectorRegistry(new Adapter($client));

        self::assertSame(1.0, $client->value('php_info', ['version' => PHP_VERSION]));
    }

    /**
     * @dataProvider losses
     * @param array<string, mixed> $data
     */
    public function testWhatCannotBeSentIsCountedAsLost(string $update, array $data, string $reason): void
    {
        $client = new RecordingClient();
        $good = ['name' => 'x', 'help' => '', 'labelNames' => [], 'labelValues' => [], 'value' => 1, 'command' => 1];
        (new Adapter($client))->$update($data + $good);

        self::assertSame([], $client->deltas());
        self::assertSame([$reason => 1], $client->lost());
    }

    /**
     * @return iterable<string, array{string, array<string, mixed>, string}>
     */
    public static function losses(): iterable
    {
        yield 'a counter that would fall' => ['updateCounter', ['value' => -1], 'value'];
        yield 'a value that is no number' => ['updateGauge', ['value' => 'many'], 'value'];
        yield 'no value' => ['updateHistogram', ['value' => null, 'buckets' => [1]], 'value'];
        yield 'infinity' => ['updateSummary', ['value' => INF, 'quantiles' => [0.5]], 'value'];
        yield 'too few values of labels' => ['updateCounter', ['labelNames' => ['a'], 'labelValues' => []], 'label'];
        yield 'too many values of labels' => ['updateCounter', ['labelNames' => [], 'labelValues' => ['1']], 'label'];
    }

    public function testNumbersMayBeText(): void
    {
        $client = new RecordingClient();
        $data = ['name' => 'x', 'help' => '', 'labelNames' => [], 'labelValues' => [], 'command' => 1];
        (new Adapter($client))->updateCounter($data + ['value' => '2.5']);

        self::assertSame(2.5, $client->value('x'));
    }

    public function testAResetOfACounterChangesNothing(): void
    {
        $client = new RecordingClient();
        $adapter = new Adapter($client);
        $data = ['name' => 'x', 'help' => '', 'labelNames' => [], 'labelValues' => [], 'value' => 5];
        $adapter->updateCounter($data + ['command' => Storage::COMMAND_SET]);
        self::assertSame('declare', $client->deltas()[0]['method']);
        $adapter->updateCounter($data + ['command' => Storage::COMMAND_INCREMENT_INTEGER]);
        $adapter->updateCounter($data + ['command' => Storage::COMMAND_SET]);

        self::assertSame(5, $client->value('x'));
    }

    public function testThePageIsPushproms(): void
    {
        $client = new RecordingClient();
        $registry = new CollectorRegistry(new Adapter($client), false);
        $registry->getOrRegisterCounter('', 'orders_total', 'Orders.')->inc();
        self::assertSame([], $registry->getMetricFamilySamples());
        self::assertSame([], $registry->getMetricFamilySamples(false));
        self::assertSame("\n", (new RenderTextFormat())->render($registry->getMetricFamilySamples()));
        $registry->wipeStorage();

        self::assertSame(1, $client->value('orders_total'), 'what was recorded is sent all the same');
    }

    /**
     * @dataProvider \Pushprom\Tests\Support\Nowhere::urls
     */
    public function testNothingIsThrownIfNobodyListensAndTheLoggerFails(string $url, int $told): void
    {
        $logger = new ThrowingLogger();
        $client = ClientFactory::make(['url' => $url, 'retries' => 0], $logger);
        $registry = new CollectorRegistry(new Adapter($client));
        for ($i = 0; $i < 3; $i++) {
            $registry->getOrRegisterCounter('', 'orders_total', 'Orders.')->inc();
            $client->flush();
        }
        unset($client, $registry);

        self::assertGreaterThanOrEqual($told, $logger->told);
    }
}
