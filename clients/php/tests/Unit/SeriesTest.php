<?php

declare(strict_types=1);

namespace Pushprom\Tests\Unit;

use PHPUnit\Framework\TestCase;
use Pushprom\Series;
use Pushprom\Tests\Support\Shade;
use Pushprom\Tests\Support\Suit;
use Pushprom\Tests\Support\Text;
use Pushprom\Type;

final class SeriesTest extends TestCase
{
    /**
     * @dataProvider texts
     */
    public function testLabelsAreText(mixed $value, string $text): void
    {
        $series = Series::of(Type::Gauge, 'x', '', ['a' => $value], []);
        self::assertNull($series->fault);
        self::assertSame(['a' => $text], $series->labels);
    }

    /**
     * @return iterable<string, array{mixed, string}>
     */
    public static function texts(): iterable
    {
        yield 'text' => ['x', 'x'];
        yield 'nothing' => ['', ''];
        yield 'null' => [null, ''];
        yield 'true' => [true, '1'];
        yield 'false' => [false, ''];
        yield 'an integer' => [200, '200'];
        yield 'a float' => [1.5, '1.5'];
        yield 'a float of many digits' => [0.1 + 0.2, '0.3'];
        yield 'a large float' => [1e25, '1.0E+25'];
        yield 'infinity' => [INF, 'INF'];
        yield 'less than anything' => [-INF, '-INF'];
        yield 'no number' => [NAN, 'NAN'];
        yield 'an object with text' => [new Text('x'), 'x'];
        yield 'a case with a value' => [Suit::Hearts, 'hearts'];
    }

    public function testSettingsOfFloatsChangeNoLabel(): void
    {
        $before = ini_set('precision', '3');
        try {
            self::assertSame('0.123456', Series::text(0.123456));
        } finally {
            ini_set('precision', $before);
        }
    }

    /**
     * @dataProvider faults
     * @param array<mixed> $labels
     * @param array<string, mixed> $recipe
     */
    public function testWhatCannotBeSentHasAFault(array $labels, array $recipe, string $fault): void
    {
        self::assertSame($fault, Series::of(Type::Gauge, 'x', '', $labels, ['app' => 'shop'], $recipe)->fault);
    }

    /**
     * @return iterable<string, array{array<mixed>, array<string, mixed>, string}>
     */
    public static function faults(): iterable
    {
        $nameless = "labels need names, as in ['status' => '200']; got one with the number";
        yield 'a list' => [['a'], [], "$nameless 0"];
        yield 'a number as a name, which PHP makes an integer' => [['404' => 'x'], [], "$nameless 404"];
        $textless = 'the value of label "a" has to be text, and is';
        yield 'an array' => [['a' => []], [], "$textless array"];
        yield 'an object' => [['a' => new \stdClass()], [], "$textless stdClass"];
        yield 'an object that fails' => [['a' => new Text(null)], [], "$textless " . Text::class];
        yield 'a case without a value' => [['a' => Shade::Dark], [], "$textless " . Shade::class];
        $infinite = 'have to be finite numbers; one of them is';
        yield 'infinity as a bucket' => [[], ['buckets' => [1, INF]], "buckets $infinite \"INF\""];
        yield 'no number as a bucket' => [[], ['buckets' => [NAN]], "buckets $infinite \"NAN\""];
        yield 'text as a bucket' => [[], ['buckets' => ['1']], "buckets $infinite \"1\""];
        $objectives = (object) ['0.5' => []];
        yield 'an array as an objective' => [[], ['objectives' => $objectives], "objectives $infinite \"array\""];
    }

    public function testConstantLabelsWin(): void
    {
        $series = Series::of(Type::Gauge, 'x', '', ['app' => 'mine', 'a' => 'b'], ['app' => 'shop']);
        self::assertSame(['a' => 'b', 'app' => 'shop'], $series->labels);
    }

    /**
     * @dataProvider pairs
     */
    public function testSeriesHaveOneKeyIfTheyAreOne(Series $one, Series $other, bool $same): void
    {
        self::assertSame($same, $one->key === $other->key);
    }

    /**
     * @return iterable<string, array{Series, Series, bool}>
     */
    public static function pairs(): iterable
    {
        $series = static fn (string $name, array $labels, string $help = '', array $recipe = [], $type = Type::Counter)
            => Series::of($type, $name, $help, $labels, [], $recipe);
        $one = $series('x', ['a' => '1', 'b' => '2']);
        yield 'in another order' => [$one, $series('x', ['b' => 2, 'a' => 1]), true];
        yield 'another help text' => [$one, $series('x', ['a' => '1', 'b' => '2'], 'Help.'), true];
        yield 'other buckets' => [$one, $series('x', ['a' => '1', 'b' => '2'], '', ['buckets' => [1]]), true];
        yield 'another name' => [$one, $series('y', ['a' => '1', 'b' => '2']), false];
        yield 'another value' => [$one, $series('x', ['a' => '1', 'b' => '3']), false];
        yield 'a label less' => [$one, $series('x', ['a' => '1']), false];
        yield 'a label that is empty' => [$series('x', []), $series('x', ['a' => '']), false];
        yield 'another type' => [$one, $series('x', ['a' => '1', 'b' => '2'], '', [], Type::Gauge), false];
        yield 'what looks like another label' => [
            $series('x', ['a' => '1";s:1:"b";s:1:"2']),
            $series('x', ['a' => '1', 'b' => '2']),
            false,
        ];
        yield 'names that look like numbers' => [
            $series('x', ['1e1' => 'a', '10.0' => 'b']),
            $series('x', ['10.0' => 'b', '1e1' => 'a']),
            true,
        ];
    }
}
