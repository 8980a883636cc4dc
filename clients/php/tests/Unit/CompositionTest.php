<?php

declare(strict_types=1);

namespace Pushprom\Tests\Unit;

use PHPUnit\Framework\TestCase;
use Pushprom\Buffer;
use Pushprom\Encoder;
use Pushprom\Method;
use Pushprom\Series;
use Pushprom\Tests\Support\Model;
use Pushprom\Tests\Support\Seed;
use Pushprom\Type;

/**
 * What was composed comes to the same as what it was composed of.
 */
final class CompositionTest extends TestCase
{
    private const METHODS = [
        'counter' => [Method::Add, Method::Add, Method::Declare],
        'gauge' => [Method::Add, Method::Set, Method::Declare],
        'histogram' => [Method::Observe, Method::Observe, Method::Declare],
        'summary' => [Method::Observe, Method::Observe, Method::Declare],
    ];

    public function testDeltasSentOneByOneAndComposedHaveTheSameTotals(): void
    {
        Seed::each(function (): void {
            $alone = new Model();
            $composed = new Model();
            $buffer = new Buffer();
            for ($left = mt_rand(1, 80); $left > 0; $left--) {
                self::step($buffer, $alone);
                if ($left === 1 || mt_rand(0, 9) === 0) {
                    self::flush($buffer, $composed);
                }
            }
            self::assertSame(0, $buffer->size());
            self::assertSame($alone->series(), $composed->series());
        });
    }

    /**
     * A change, to the buffer and to the model; those that cannot be sent are refused and change nothing.
     */
    private static function step(Buffer $buffer, Model $alone): void
    {
        $type = self::choose(Type::cases());
        $method = self::choose(self::METHODS[$type->value]);
        $help = self::choose(['', 'One.', 'Two.']);
        $labels = self::choose([[], ['a' => 'x'], ['a' => 'y', 'b' => ''], ['b' => '', 'a' => 'y']]);
        $series = Series::of($type, self::choose(['one', 'two']), $help, $labels, ['app' => 'shop']);
        // In eighths, so that sums are exact in any order.
        $value = $method === Method::Declare ? 0 : self::choose([1, 0, mt_rand(-80, 80), mt_rand(-800, 800) / 8]);
        $value = mt_rand(0, 19) === 0 && $method !== Method::Declare ? self::choose([INF, -INF, NAN]) : $value;
        $fault = $buffer->record($series, $method, $value);
        self::assertSame(!is_finite($value) || ($type === Type::Counter && $value < 0), $fault !== null);
        if ($fault === null) {
            $fields = ['type' => $type->value, 'name' => $series->name, 'help' => $help];
            $alone->apply($fields + ['labels' => $series->labels, 'method' => $method->value, 'value' => $value]);
        }
    }

    private static function flush(Buffer $buffer, Model $composed): void
    {
        foreach (Encoder::deltas($buffer->take(), mt_rand(1, 300)) as $delta) {
            $composed->apply(json_decode($delta, true, flags: JSON_THROW_ON_ERROR));
        }
    }

    /**
     * @template T
     * @param non-empty-list<T> $choices
     * @return T
     */
    private static function choose(array $choices): mixed
    {
        return $choices[mt_rand(0, count($choices) - 1)];
    }
}
