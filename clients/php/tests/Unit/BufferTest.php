<?php

declare(strict_types=1);

namespace Pushprom\Tests\Unit;

use PHPUnit\Framework\TestCase;
use Pushprom\Buffer;
use Pushprom\Method;
use Pushprom\Series;
use Pushprom\Type;

final class BufferTest extends TestCase
{
    /**
     * @dataProvider values
     */
    public function testValuesThatCannotBeSentAreRefusedAndChangeNothing(
        Type $type,
        int|float $before,
        int|float $value,
        string $fault
    ): void {
        $series = Series::of($type, 'x', '', [], []);
        $buffer = new Buffer();
        self::assertNull($buffer->record($series, Method::Add, $before));
        self::assertSame($fault, $buffer->record($series, Method::Add, $value));
        self::assertSame($before, $buffer->take()[0]->value);
    }

    /**
     * @return iterable<string, array{Type, int|float, int|float, string}>
     */
    public static function values(): iterable
    {
        yield 'infinity' => [Type::Gauge, 1, INF, 'INF of x is no finite number'];
        yield 'infinity below' => [Type::Gauge, 1, -INF, '-INF of x is no finite number'];
        yield 'no number' => [Type::Gauge, 1, NAN, 'NAN of x is no finite number'];
        $down = 'x cannot go down by %s; a counter takes 0 or more, use a gauge';
        yield 'a counter downwards' => [Type::Counter, 1, -1, sprintf($down, '1')];
        yield 'a counter down by little' => [Type::Counter, 1, -0.5, sprintf($down, '0.5')];
        yield 'a sum beyond floats' => [Type::Gauge, 1.7e308, 1.7e308, '1.7E+308 more for x is beyond all numbers'];
    }

    public function testIntegersThatOverflowBecomeFloats(): void
    {
        $series = Series::of(Type::Counter, 'x', '', [], []);
        $buffer = new Buffer();
        $buffer->record($series, Method::Add, PHP_INT_MAX);
        $buffer->record($series, Method::Add, PHP_INT_MAX);
        self::assertSame(2.0 ** 64, $buffer->take()[0]->value);
    }

    public function testSizeIsThatOfSeriesAndObservations(): void
    {
        $buffer = new Buffer();
        $histogram = Series::of(Type::Histogram, 'x_seconds', '', [], []);
        self::assertSame(0, $buffer->size());
        $buffer->record($histogram, Method::Declare, 0);
        self::assertSame(1, $buffer->size());
        foreach ([2, 3, 4] as $size) {
            $buffer->record($histogram, Method::Observe, 0.5);
            self::assertSame($size, $buffer->size());
        }
        foreach ([5, 5] as $size) {
            $buffer->record(Series::of(Type::Counter, 'x_total', '', [], []), Method::Add, 1);
            self::assertSame($size, $buffer->size());
        }
        $buffer->record(Series::of(Type::Summary, 'x_bytes', '', [], []), Method::Observe, 1);
        self::assertSame(7, $buffer->size());
        self::assertCount(3, $buffer->take());
        self::assertSame(0, $buffer->size());
        self::assertSame([], $buffer->take());
    }
}
