<?php

declare(strict_types=1);

namespace Pushprom\Bench;

use Pushprom\Tests\Support\Page;

/**
 * What a server has received, by its own counters: messages, and their bytes, by transport.
 */
final class Traffic
{
    private const COUNTERS = [
        'udp' => 'pushprom_udp_packets_total',
        'unix' => 'pushprom_unix_packets_total',
        'http' => 'pushprom_http_requests_total',
    ];

    /**
     * @param array<string, float> $messages
     * @param array<string, float> $bytes
     */
    private function __construct(public readonly array $messages, public readonly array $bytes)
    {
    }

    public static function on(Page $page): self
    {
        $messages = [];
        $bytes = [];
        foreach (self::COUNTERS as $transport => $counter) {
            $messages[$transport] = $page->sum($counter);
            $bytes[$transport] = $page->sum("pushprom_received_bytes_total{transport=\"$transport\"");
        }

        return new self($messages, $bytes);
    }

    public function minus(self $other): self
    {
        return new self(
            self::subtract($this->messages, $other->messages),
            self::subtract($this->bytes, $other->bytes)
        );
    }

    /**
     * @param array<string, float> $from
     * @param array<string, float> $what
     * @return array<string, float>
     */
    private static function subtract(array $from, array $what): array
    {
        foreach ($what as $transport => $value) {
            $from[$transport] -= $value;
        }

        return $from;
    }
}
