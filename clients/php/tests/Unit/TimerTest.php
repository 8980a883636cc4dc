<?php

declare(strict_types=1);

namespace Pushprom\Tests\Unit;

use PHPUnit\Framework\TestCase;
use Pushprom\RecordingClient;

final class TimerTest extends TestCase
{
    public function testATimerObservesSecondsOnce(): void
    {
        $client = new RecordingClient();
        $start = hrtime(true);
        $timer = $client->histogram('took_seconds')->timer();
        $started = hrtime(true);
        random_bytes(65_536);
        $stopping = hrtime(true);
        $seconds = $timer->stop();
        self::assertGreaterThanOrEqual(($stopping - $started) / 1e9, $seconds);
        self::assertLessThanOrEqual((hrtime(true) - $start) / 1e9, $seconds);
        self::assertSame($seconds, $timer->stop());
        self::assertSame([$seconds], $client->observations('took_seconds'));
    }

    public function testATimerThatIsNotStoppedObservesNothing(): void
    {
        $client = new RecordingClient();
        $client->summary('took_seconds')->timer();
        self::assertSame([], $client->observations('took_seconds'));
    }

    public function testWhatIsTimedReturnsWhatItReturns(): void
    {
        $client = new RecordingClient();
        self::assertSame('done', $client->histogram('took_seconds')->time(static fn (): string => 'done'));
        self::assertCount(1, $client->observations('took_seconds'));
    }

    public function testWhatIsTimedMayThrow(): void
    {
        $client = new RecordingClient();
        $error = new \DomainException('no');
        try {
            $client->histogram('took_seconds')->time(static fn () => throw $error);
        } catch (\DomainException $caught) {
        }
        self::assertSame($error, $caught ?? null);
        self::assertCount(1, $client->observations('took_seconds'));
    }
}
