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

/**
 * What applications and their subclasses could see of the old client is there, as it was.
 */
final class SurfaceTest extends TestCase
{
    /** Public and protected members of messagebird/pushprom-php-client 1.0.1, with the kind of each class. */
    private const OLD = [
        Connection::class => [
            'class',
            'public __construct(string $url, array $constLabels = [], ?callable $warningLogger = NULL)',
            'public push(array $delta)',
        ],
        Metric::class => [
            'abstract class',
            'protected $connection',
            'protected $name',
            'protected $help',
            'protected $labels',
            'protected $useUDP',
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

    /** Parameters that were added behind those of the old client, all of them optional. */
    private const ADDED = [
        'pushprom\Connection::__construct' =>
            ', ?Pushprom\ClientInterface $client = NULL, int $connectTimeoutMs = 500, int $timeoutMs = 1000',
    ];

    /**
     * @dataProvider classes
     * @param class-string $class
     * @param list<string> $surface
     */
    public function testSurface(string $class, array $surface): void
    {
        self::assertSame($surface, self::surface(new \ReflectionClass($class)));
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

    /**
     * @param \ReflectionClass<object> $class
     * @return list<string>
     */
    private static function surface(\ReflectionClass $class): array
    {
        $parent = $class->getParentClass();
        $surface = [
            implode(' ', \Reflection::getModifierNames($class->getModifiers()))
            . ($class->isAbstract() ? ' class' : 'class')
            . ($parent === false ? '' : " extends {$parent->getName()}"),
        ];
        foreach ([...$class->getProperties(), ...$class->getMethods()] as $member) {
            if ($member->isPrivate() || $member->getDeclaringClass()->getName() !== $class->getName()) {
                continue;
            }
            $modifiers = implode(' ', \Reflection::getModifierNames($member->getModifiers()));
            $surface[] = "$modifiers " . ($member instanceof \ReflectionMethod
                ? self::signature($member)
                : trim($member->getType() . " \${$member->getName()}"));
        }

        return $surface;
    }

    private static function signature(\ReflectionMethod $method): string
    {
        $parameters = array_map(
            static fn (\ReflectionParameter $parameter) => trim($parameter->getType() . " \${$parameter->getName()}")
                . ($parameter->isOptional() ? ' = ' . self::show($parameter->getDefaultValue()) : ''),
            $method->getParameters()
        );
        $type = $method->hasReturnType() ? ": {$method->getReturnType()}" : '';
        $added = self::ADDED["{$method->class}::{$method->getName()}"] ?? '';
        $all = implode(', ', $parameters);
        if ($added !== '' && str_ends_with($all, $added)) {
            $all = substr($all, 0, -strlen($added));
        }

        return "{$method->getName()}($all)$type";
    }

    private static function show(mixed $default): string
    {
        return $default === [] ? '[]' : var_export($default, true);
    }
}
