<?php

declare(strict_types=1);

namespace Pushprom\Tests\Unit;

use PHPUnit\Framework\TestCase;
use Pushprom\ClientInterface;
use Pushprom\NullClient;
use Pushprom\RecordingClient;

/**
 * The clients that send nothing.
 */
final class RecordingClientTest extends TestCase
{
    public function testValuesAreThoseOfOneSeries(): void
    {
        $client = new RecordingClient(['app' => 'shop']);
        self::record($client);
        self::assertSame(13, $client->value('orders_total', ['kind' => 'book']));
        self::assertSame(1, $client->value('orders_total', ['kind' => 'pen']));
        self::assertNull($client->value('orders_total'));
        self::assertSame(1.5, $client->value('queue_length'));
        self::assertSame(-1, $client->value('running_jobs'));
        self::assertSame(0, $client->value('refunds_total'));
        self::assertNull($client->value('took_seconds'));
        self::assertNull($client->value('never_total'));
        self::assertSame([0.5, 2], $client->observations('took_seconds', ['status' => 200]));
        self::assertSame([100], $client->observations('page_bytes'));
        self::assertSame([], $client->observations('took_seconds'));
        self::assertSame([], $client->observations('orders_total', ['kind' => 'book']));
        self::assertSame(['value' => 2, 'label' => 2], $client->lost());
    }

    public function testDeltasAreThoseThatWouldBeSent(): void
    {
        $client = new RecordingClient(['app' => 'shop']);
        $client->counter('orders_total', 'Orders.', ['kind' => 'book'])->inc();
        $client->counter('orders_total', 'Orders.', ['kind' => 'book'])->add(2);
        $client->histogram('took_seconds', 'Time.', buckets: [2 => 0.1, 3 => 1])->observe(0.5);
        self::assertSame(
            [
                [
                    'type' => 'counter',
                    'name' => 'orders_total',
                    'help' => 'Orders.',
                    'labels' => ['app' => 'shop', 'kind' => 'book'],
                    'method' => 'add',
                    'value' => 3,
                ],
                [
                    'type' => 'histogram',
                    'name' => 'took_seconds',
                    'help' => 'Time.',
                    'labels' => ['app' => 'shop'],
                    'buckets' => [0.1, 1],
                    'method' => 'observe',
                    'value' => 0.5,
                ],
            ],
            $client->deltas()
        );
    }

    public function testAFlushKeepsAllAndAResetNothing(): void
    {
        $client = new RecordingClient();
        self::record($client);
        $deltas = $client->deltas();
        self::assertTrue($client->flush());
        self::assertSame($deltas, $client->deltas());
        $client->reset();
        self::assertSame([], $client->deltas());
        self::assertSame([], $client->lost());
        self::assertNull($client->value('queue_length'));
    }

    public function testConstantLabelsHaveToBeText(): void
    {
        $this->expectException(\InvalidArgumentException::class);
        $this->expectExceptionMessage('constLabels: labels need names');
        new RecordingClient(['shop']);
    }

    public function testANullClientTakesAnything(): void
    {
        $client = new NullClient(['app' => 'shop']);
        self::record($client);
        self::assertTrue($client->flush());
        self::assertSame([], $client->lost());
    }

    private static function record(ClientInterface $client): void
    {
        $book = $client->counter('orders_total', 'Orders.', ['kind' => 'book']);
        for ($i = 0; $i < 10; $i++) {
            $book->inc();
        }
        $client->counter('orders_total', 'Orders.', ['kind' => 'book'])->add(3);
        $client->counter('orders_total', 'Orders.', ['kind' => 'pen'])->inc();
        $client->counter('refunds_total')->declare();
        $client->gauge('queue_length')->set(3);
        $client->gauge('queue_length')->sub(2.5);
        $client->gauge('queue_length')->inc();
        $client->gauge('running_jobs')->dec();
        $client->histogram('took_seconds', labels: ['status' => 200])->observe(0.5);
        $client->histogram('took_seconds', labels: ['status' => '200'])->observe(2);
        $client->summary('page_bytes', objectives: ['0.5' => 0.05])->observe(100);
        $client->counter('orders_total')->add(-1);
        $client->gauge('queue_length')->set(NAN);
        $client->gauge('queue_length', labels: ['shop'])->set(1);
        $client->histogram('took_seconds', buckets: [INF])->observe(1);
    }
}
