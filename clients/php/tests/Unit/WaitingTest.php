<?php

declare(strict_types=1);

namespace Pushprom\Tests\Unit;

use PHPUnit\Framework\TestCase;
use Pushprom\Endpoint;
use Pushprom\Losses;
use Pushprom\Reason;
use Pushprom\Tests\Support\CannedExchange;
use Pushprom\Transport\Batch;
use Pushprom\Transport\Deadline;
use Pushprom\Transport\HttpTransport;
use Pushprom\Transport\Outage;

/**
 * How long a batch waits, and how long nobody tries. Time is made to have passed in private fields, because it is
 * minutes.
 */
final class WaitingTest extends TestCase
{
    /**
     * @dataProvider ages
     * @param array<string, int> $lost
     */
    public function testABatchIsNotSentWhenItsKeyMayBeForgotten(int $seconds, int $posts, array $lost): void
    {
        $exchange = new CannedExchange(503);
        $losses = new Losses();
        $outage = new Outage(__METHOD__);
        $endpoint = Endpoint::parse('http://127.0.0.1:9091');
        $transport = new HttpTransport($endpoint, $exchange, $outage, null, 100, 0, $losses);
        self::assertFalse($transport->send(['{}', '{}'], false, Deadline::in(1_000)));

        self::makeOlder($transport, $seconds);
        $outage->end();
        $exchange->status = 200;
        self::assertTrue($transport->send(['{}'], false, Deadline::in(1_000)));

        self::assertSame($lost, $losses->all());
        self::assertCount(1 + $posts, $exchange->keys);
        // The first two are attempts at the same batch, if it was sent again.
        self::assertCount($lost === [] ? $posts : 1 + $posts, array_unique($exchange->keys));
    }

    /**
     * @return iterable<string, array{int, int, array<string, int>}>
     */
    public static function ages(): iterable
    {
        yield 'young' => [290, 2, []];
        yield 'too old' => [300, 1, ['timeout' => 2]];
    }

    public function testTheLastAttemptOfAProcessWaitsNoLongerThanTheFirstPause(): void
    {
        $outage = new Outage(__METHOD__);
        $began = new \ReflectionProperty(Outage::class, 'beganNanoseconds');
        // Pauses of 1, 2 and 4 seconds.
        foreach ([1, 2, 4] as $ignored) {
            $outage->begin(Reason::Unreachable);
        }
        self::assertSame(Reason::Unreachable, $outage->reasonAtEnd());
        $began->setValue($outage, $began->getValue($outage) - 1_500_000_000);
        self::assertNull($outage->reasonAtEnd());
        self::assertSame(Reason::Unreachable, $outage->reason());
        $began->setValue($outage, $began->getValue($outage) - 2_500_000_000);
        self::assertNull($outage->reason());
    }

    private static function makeOlder(HttpTransport $transport, int $seconds): void
    {
        $waiting = new \ReflectionProperty($transport, 'waiting');
        $waiting->setValue($transport, array_map(static function (Batch $batch) use ($seconds): Batch {
            $older = (new \ReflectionClass($batch))->newInstanceWithoutConstructor();
            $fields = ['madeNanoseconds' => $batch->madeNanoseconds - $seconds * 1_000_000_000];
            foreach ($fields + get_object_vars($batch) as $field => $value) {
                (new \ReflectionProperty($batch, $field))->setValue($older, $value);
            }

            return $older;
        }, $waiting->getValue($transport)));
    }
}
