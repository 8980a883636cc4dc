<?php

declare(strict_types=1);

namespace Pushprom\Tests\Unit\Dropin;

use PHPUnit\Framework\TestCase;
use Pushprom\Tests\Support\DatagramRecorder;
use Pushprom\Tests\Support\HttpRecorder;

/**
 * The bytes on the wire are those of the old client, as they were recorded: all of them, in their order.
 */
final class BytesTest extends TestCase
{
    public function testHttp(): void
    {
        $server = new HttpRecorder();
        $recorded = self::recorded('HTTP', 'POST ');
        RecordedCalls::make('http', $server->address, self::bigBytes($recorded), static fn () => null);

        $port = (string) strrchr($server->address, ':');
        $requests = array_map(
            static fn (string $request) => str_replace("Host: 127.0.0.1$port", 'Host: 127.0.0.1:18297', $request),
            $server->requests()
        );
        self::assertSame(array_column($recorded, 'bytes'), $requests);
        self::assertSame(array_column($recorded, 'length'), array_map(strlen(...), $requests));
    }

    public function testUdp(): void
    {
        $server = new DatagramRecorder();
        $recorded = self::recorded('UDP', '{');
        RecordedCalls::make('udp', $server->address, self::bigBytes($recorded), static fn () => null);

        $datagrams = $server->datagrams();
        self::assertSame(array_column($recorded, 'bytes'), $datagrams);
        self::assertSame(array_column($recorded, 'length'), array_map(strlen(...), $datagrams));
    }

    public function testNothingElseIsInTheFile(): void
    {
        $messages = substr_count(self::file(), "\n--- ") + 1;
        $fromElsewhere = self::recorded('HTTP', 'GET ');
        self::assertCount(3, $fromElsewhere);
        self::assertSame(
            $messages,
            count(self::recorded('HTTP', 'POST ')) + count(self::recorded('UDP', '{')) + count($fromElsewhere)
        );
    }

    /**
     * @return list<array{length: int, bytes: string}>
     */
    private static function recorded(string $transport, string $beginning): array
    {
        $pattern = "/^--- $transport \((\d+) bytes\)\n(.*?)\n(?=--- |\z)/ms";
        preg_match_all($pattern, self::file(), $messages, PREG_SET_ORDER);
        $recorded = [];
        foreach ($messages as [, $length, $text]) {
            if (!str_starts_with($text, $beginning)) {
                continue;
            }
            // The ends of lines were written as in a text file, and a long value was cut short.
            $bytes = $transport === 'HTTP' ? str_replace("\n", "\r\n", $text) : $text;
            $cut = (int) $length - strlen($bytes) + strlen('<many v>');
            $recorded[] = [
                'length' => (int) $length,
                'bytes' => str_replace('<many v>', str_repeat('v', max(0, $cut)), $bytes),
            ];
        }

        return $recorded;
    }

    /**
     * @param list<array{length: int, bytes: string}> $recorded
     */
    private static function bigBytes(array $recorded): int
    {
        preg_match('/v{100,}/', implode(array_column($recorded, 'bytes')), $found);

        return strlen($found[0]);
    }

    private static function file(): string
    {
        return (string) file_get_contents(dirname(__DIR__, 5) . '/tests/conformance/php-client-bytes.txt');
    }
}
