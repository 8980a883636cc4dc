<?php

declare(strict_types=1);

namespace Pushprom\Tests\Unit\Dropin;

use PHPUnit\Framework\TestCase;
use pushprom\Connection;
use pushprom\Counter;
use pushprom\Gauge;
use pushprom\Histogram;
use pushprom\Metric;
use pushprom\Summary;
use Pushprom\Tests\Support\Surface;

/**
 * What applications and their subclasses could see of the old client is there, as it was.
 */
final class SurfaceTest extends TestCase
{
    /** Public and protected members of messagebird/pushprom-php-client 1.0.2, with the kind of each class. */
    private const OLD = [
        Connection::class => [
            'class',
            'public __construct(string $url, array $constLabels = [], ?callable $warningLogger = NULL)',
            'public push(array $delta)',
        ],
        Metric::class => [
            'abstract class',
            'protected $connection = NULL',
            'protected $name = NULL',
            'protected $help = NULL',
            'protected $labels = NULL',
            'protected $useUDP = NULL',
            'public __construct($connection, string $name, string $help, array $labels = [])',
            'public pushDelta(array $attrs = [])',
        ],
        Counter::class => [
            'class extends pushprom\Metric',
            'public set($value)',
            'public inc()',
            'public add($value)',
        ],
        Gauge::class => [
            'class extends pushprom\Metric',
            'public set($value)',
            'public inc()',
            'public dec()',
            'public add($value)',
            'public sub($value)',
        ],
        Histogram::class => [
            'class extends pushprom\Metric',
            'public observe($value, array $buckets = [])',
        ],
        Summary::class => [
            'class extends pushprom\Metric',
            'public observe($value)',
        ],
    ];

    /**
     * Parameters that were added behind those of the old client, all of them optional, and what makes a connection one
     * that can be serialized, as it was.
     */
    private const ADDED = [
        "\npublic __serialize(): array\npublic __unserialize(array \$data): void",
        ', ?Pushprom\ClientInterface $client = NULL, int $connectTimeoutMs = 500, int $timeoutMs = 1000',
    ];

    /**
     * @dataProvider classes
     * @param class-string $class
     * @param list<string> $surface
     */
    public function testSurface(string $class, array $surface): void
    {
        $text = str_replace(self::ADDED, '', implode("\n", Surface::of($class)));
        self::assertSame($surface, explode("\n", $text));
    }

    /**
     * @return iterable<string, array{class-string, list<string>}>
     */
    public static function classes(): iterable
    {
        foreach (self::OLD as $class => $surface) {
            yield $class => [$class, $surface];
        }
    }
}
