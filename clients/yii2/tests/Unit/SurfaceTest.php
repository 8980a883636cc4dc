<?php

declare(strict_types=1);

namespace pushprom\yii2\tests\Unit;

use PHPUnit\Framework\TestCase;
use Pushprom\Tests\Support\Surface;
use pushprom\yii2\Component;
use pushprom\yii2\ConnectionProxy;

/**
 * What applications and their subclasses could see of the old component is there, as it was.
 */
final class SurfaceTest extends TestCase
{
    /** Public and protected members of messagebird/pushprom-yii2-client 1.0.1, with their defaults. */
    private const OLD = [
        'class extends yii\base\Component',
        "public \$url = 'udp://127.0.0.1:9090'",
        'public $connection = NULL',
        'public $constLabels = []',
        'public init()',
        'public logHttpResponse($statusCode)',
        'public logResponseTimeMs()',
        'protected stat($methodName, $type, $name, $help, array $labels = [], $value = NULL)',
        'public set($value, $type, $name, $help, array $labels = [])',
        'public inc($type, $name, $help, $labels = [])',
        'public dec($type, $name, $help, array $labels = [])',
        'public add($value, $type, $name, $help, array $labels = [])',
        'public sub($value, $type, $name, $help, array $labels = [])',
        'public observe($value, $type, $name, $help, array $labels = [])',
    ];

    /**
     * @dataProvider members
     */
    public function testMember(string $member): void
    {
        self::assertContains($member, Surface::of(ConnectionProxy::class));
    }

    /**
     * @return iterable<string, array{string}>
     */
    public static function members(): iterable
    {
        foreach (self::OLD as $member) {
            yield $member => [$member];
        }
    }

    public function testTheComponentHasTheLabelOfTheOldReadme(): void
    {
        $surface = ['class extends pushprom\yii2\ConnectionProxy', 'public $job = NULL', 'public init()'];
        self::assertSame($surface, Surface::of(Component::class));
        self::assertSame(Component::class, Component::className());
    }
}
