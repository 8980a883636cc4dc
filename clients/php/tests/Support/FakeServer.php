<?php

declare(strict_types=1);

namespace Pushprom\Tests\Support;

/**
 * A server over HTTP that answers as it is told.
 */
final class FakeServer
{
    /** Waits for the next request on the same connection. */
    public const KEEP = 'keep';

    public const CLOSE = 'close';

    /** Answers, and closes, when it has read one byte of the request. */
    public const HASTY = 'hasty close';

    /** Answers likewise, and goes on with a byte each 50 ms. */
    public const HASTY_TRICKLE = 'hasty trickle';

    /** Says no more, until the other side has closed. */
    public const HANG = 'hang';

    /** Goes on with a byte each 50 ms, without end. */
    public const TRICKLE = 'trickle';

    /** Goes on as fast as it can, without end. */
    public const FLOOD = 'flood';

    private readonly Process $process;

    /** As in `127.0.0.1:40123`. */
    public readonly string $address;

    /**
     * @param non-empty-list<array{string, self::*}>|null $turns for one request after the other, the last one for
     *     all further ones: the bytes of the answer, and what happens then; null accepts no connection
     */
    public function __construct(?array $turns)
    {
        $file = Folder::make() . '/turns';
        file_put_contents($file, serialize($turns));
        $hears = $turns === null ? 'deaf' : 'hears';
        $this->process = new Process([PHP_BINARY, __DIR__ . '/fake-server.php', $file, $hears]);
        $this->address = Wait::for('the address of a fake server', fn () => strstr($this->output(), "\n", true));
    }

    /**
     * An answer as it should be.
     */
    public static function answer(int $status, string $body = '', string $header = ''): string
    {
        $header = $header === '' ? '' : "$header\r\n";

        return "HTTP/1.1 $status Status\r\n{$header}Content-Length: " . strlen($body) . "\r\n\r\n$body";
    }

    /**
     * Those that have come.
     *
     * @return list<array{head: string, body: string}>
     */
    public function requests(): array
    {
        $lines = explode("\n", trim($this->output()));

        return array_map(static fn (string $line) => json_decode($line, true), array_slice($lines, 1));
    }

    public function process(): Process
    {
        return $this->process;
    }

    private function output(): string
    {
        return $this->process->output();
    }
}
