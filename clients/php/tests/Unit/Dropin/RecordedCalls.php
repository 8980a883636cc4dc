<?php

declare(strict_types=1);

namespace Pushprom\Tests\Unit\Dropin;

use pushprom\Connection;
use pushprom\Counter;
use pushprom\Gauge;
use pushprom\Histogram;
use pushprom\Summary;

/**
 * The calls of the old client that led to tests/conformance/php-client-bytes.txt, in its order.
 */
final class RecordedCalls
{
    private const TREES = ['job' => 'tree-counter-bot', 'instance' => 3];
    private const GOPHERS = ['gophers', 'little burrowing rodents'];
    private const RESPONSES = ['http_response', 'count http responses'];
    private const FISH = ['fish', 'we eat fish and new fish is born', ['species' => 'Thalassoma noronhanum']];
    private const TIMES = ['response_time_ms', 'summary of the response time of http requests'];
    private const BUCKETS = ['buckets', 'own buckets', ['route' => '/x']];
    private const LATENCY = ['latency', 'latency summary', ['route' => '/x']];
    private const ESCAPED = [
        'class' => 'App\Http\Home',
        'path' => '/a/b',
        'e' => "😀\n\"",
        'empty' => '',
        'null' => null,
        'true' => true,
        'f' => 1.5,
    ];

    /**
     * @return list<array{class-string, array{string, string, 2?: array<mixed>}, string, 3?: list<mixed>}> class;
     *     name without its prefix, help and labels; method; its arguments
     */
    public static function table(int $bigBytes): array
    {
        return [
            [Counter::class, self::GOPHERS, 'inc'],
            [Counter::class, self::GOPHERS, 'add', [2.5]],
            [Counter::class, self::GOPHERS, 'add', [3]],
            [Counter::class, self::GOPHERS, 'add', [0]],
            [Counter::class, self::GOPHERS, 'set', [9]],
            [Counter::class, [...self::RESPONSES, ['status' => 200]], 'inc'],
            [Counter::class, [...self::RESPONSES, ['status' => '404']], 'inc'],
            [Counter::class, ['const', 'with const labels', ['species' => 'araucaria angustifolia']], 'add', [3002]],
            [Counter::class, ['http_response', 'another help', ['status' => 200]], 'inc'],
            [Counter::class, [...self::RESPONSES, ['status' => 200, 'x' => 'y']], 'inc'],
            [Counter::class, ['esc', "café / \"q\" \\ 😀\nx", self::ESCAPED], 'inc'],
            [Counter::class, ['list', 'list labels', ['a']], 'inc'],
            [Counter::class, ['bad-name', 'bad name'], 'inc'],
            [Counter::class, ['invalid', 'invalid UTF-8', ['a' => "\xff"]], 'inc'],
            [Gauge::class, self::FISH, 'set', [2000]],
            [Gauge::class, self::FISH, 'inc'],
            [Gauge::class, self::FISH, 'dec'],
            [Gauge::class, self::FISH, 'add', [0.1]],
            [Gauge::class, self::FISH, 'sub', [0.3]],
            [Gauge::class, self::FISH, 'add', [-5]],
            [Gauge::class, ['plain', 'plain gauge'], 'set', [1e25]],
            [Gauge::class, ['tiny', 'tiny gauge'], 'set', [1e-7]],
            [Gauge::class, ['nul', 'null gauge'], 'set', [null]],
            [Gauge::class, ['text', 'text gauge'], 'set', ['some text']],
            [Gauge::class, ['text', 'text gauge'], 'set', ['9223372036854775807']],
            [Histogram::class, self::TIMES, 'observe', [0.004]],
            [Histogram::class, self::TIMES, 'observe', [0.3]],
            [Histogram::class, self::TIMES, 'observe', [12.3456]],
            [Histogram::class, self::TIMES, 'observe', ['7']],
            [Histogram::class, self::BUCKETS, 'observe', [0.05, [0.1, 1, 10]]],
            [Histogram::class, self::BUCKETS, 'observe', [0.5, [0.1, 1, 10]]],
            [Histogram::class, self::BUCKETS, 'observe', [2, [0.1, 1, 10]]],
            [Histogram::class, self::BUCKETS, 'observe', [100, [0.1, 1, 10]]],
            [Histogram::class, self::BUCKETS, 'observe', [3, [5, 6]]],
            [Summary::class, self::LATENCY, 'observe', [0.1]],
            [Summary::class, self::LATENCY, 'observe', [0.2]],
            [Summary::class, self::LATENCY, 'observe', [7.3]],
            [Counter::class, ['big', 'big payload', ['a' => str_repeat('v', $bigBytes)]], 'inc'],
            [Counter::class, ['auth', 'basic auth is ignored'], 'inc'],
        ];
    }

    /**
     * Makes them all.
     *
     * @param callable(string): mixed $warningLogger
     */
    public static function make(string $scheme, string $address, int $bigBytes, callable $warningLogger): void
    {
        $connection = new Connection("$scheme://$address", [], $warningLogger);
        $others = [
            'const' => new Connection("$scheme://$address", self::TREES, $warningLogger),
            'auth' => new Connection("$scheme://user:pass@$address", [], $warningLogger),
        ];
        foreach (self::table($bigBytes) as $call) {
            [$class, [$name, $help], $method] = $call;
            // Only HTTP has a place for a password, and was asked to take one.
            if ($name === 'auth' && $scheme === 'udp') {
                continue;
            }
            $labels = $call[1][2] ?? [];
            $metric = new $class($others[$name] ?? $connection, "e2e_{$scheme}_$name", $help, $labels);
            $metric->$method(...$call[3] ?? []);
        }
    }
}
