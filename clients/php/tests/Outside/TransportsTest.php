<?php

declare(strict_types=1);

namespace Pushprom\Tests\Outside;

use PHPUnit\Framework\TestCase;
use Pushprom\Client;
use Pushprom\Tests\Support\Server;

final class TransportsTest extends TestCase
{
    /**
     * @dataProvider schemes
     */
    public function testWhatIsRecordedIsOnThePage(string $scheme): void
    {
        $server = new Server();
        $client = new Client($server->url($scheme), constLabels: ['app' => 'shop']);
        for ($i = 0; $i < 10; $i++) {
            $client->counter('orders_total', 'Orders.', ['kind' => 'book'])->inc();
        }
        $client->gauge('queue_length', 'Jobs.')->set(3);
        $client->histogram('took_seconds', 'Time.', buckets: [0.1, 1])->observe(0.5);
        $client->summary('page_bytes', 'Size.')->observe(100);
        self::assertTrue($client->flush());
        self::assertSame([], $client->lost());

        $page = $server->catchUp();
        self::assertSame(10.0, $page->value('orders_total{app="shop",kind="book"}'));
        self::assertSame(3.0, $page->value('queue_length{app="shop"}'));
        self::assertSame(1.0, $page->value('took_seconds_bucket{app="shop",le="1"}'));
        self::assertSame(100.0, $page->value('page_bytes_sum{app="shop"}'));
    }

    /**
     * @return iterable<string, array{string}>
     */
    public static function schemes(): iterable
    {
        yield 'udp' => ['udp'];
        yield 'unix' => ['unix'];
        yield 'http' => ['http'];
    }
}
