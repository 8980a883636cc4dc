<?php

declare(strict_types=1);

namespace Pushprom\Tests\Unit;

use PHPUnit\Framework\TestCase;
use Pushprom\Encoder;
use Pushprom\Method;
use Pushprom\Pending;
use Pushprom\Series;
use Pushprom\Tests\Support\Folder;
use Pushprom\Tests\Support\Process;
use Pushprom\Type;

final class EncoderTest extends TestCase
{
    private const HISTOGRAM = '{"type":"histogram","name":"x","method":"observe","value":[';

    /**
     * @dataProvider changes
     * @param list<array{Method, int|float}> $changes
     */
    public function testChangesOfASeriesAreADelta(Series $series, array $changes, string $delta): void
    {
        self::assertSame([$delta], Encoder::deltas([self::compose($series, ...$changes)], 1_000));
    }

    /**
     * @return iterable<string, array{Series, list<array{Method, int|float}>, string}>
     */
    public static function changes(): iterable
    {
        $counter = self::series(Type::Counter, labels: ['b' => 2, 'a' => "ü/\"\n"], help: 'X.');
        $head = '{"type":"counter","name":"x","help":"X.","labels":{"a":"ü/\\"\\n","b":"2"},"method":';
        yield 'inc' => [$counter, [[Method::Add, 1]], $head . '"inc"}'];
        yield 'add' => [$counter, [[Method::Add, 1], [Method::Add, 2.5]], $head . '"add","value":3.5}'];
        yield 'add nothing' => [$counter, [[Method::Add, 0]], $head . '"add","value":0}'];
        yield 'declare' => [$counter, [[Method::Declare, 0]], $head . '"declare"}'];
        yield 'declare, inc' => [$counter, [[Method::Declare, 0], [Method::Add, 1]], $head . '"inc"}'];
        $gauge = self::series(Type::Gauge);
        $head = '{"type":"gauge","name":"x","method":';
        yield 'dec' => [$gauge, [[Method::Add, -1]], $head . '"add","value":-1}'];
        yield 'set' => [$gauge, [[Method::Set, 1]], $head . '"set","value":1}'];
        yield 'set, inc' => [$gauge, [[Method::Set, 1], [Method::Add, 1]], $head . '"set","value":2}'];
        yield 'inc, set' => [$gauge, [[Method::Add, 1], [Method::Set, 0.1]], $head . '"set","value":0.1}'];
        yield 'set, declare' => [$gauge, [[Method::Set, 0], [Method::Declare, 0]], $head . '"set","value":0}'];
        yield 'digits' => [$gauge, [[Method::Set, 0.1 + 0.2]], $head . '"set","value":0.30000000000000004}'];
        yield 'much' => [$gauge, [[Method::Set, 1e300]], $head . '"set","value":1.0e+300}'];
        yield 'little' => [$gauge, [[Method::Set, 5e-324]], $head . '"set","value":5.0e-324}'];
        yield 'huge' => [$gauge, [[Method::Set, PHP_INT_MAX]], $head . '"set","value":9223372036854775807}'];
        yield 'minus zero' => [$gauge, [[Method::Set, -0.0]], $head . '"set","value":-0}'];
        $observe = [[Method::Observe, 0.5], [Method::Observe, 2]];
        $histogram = self::series(Type::Histogram, recipe: ['buckets' => [0.1, 1], 'native' => true]);
        $head = '{"type":"histogram","name":"x","buckets":[0.1,1],"native":true,"method":';
        yield 'observe' => [$histogram, $observe, $head . '"observe","value":[0.5,2]}'];
        yield 'observe one' => [$histogram, [[Method::Observe, 2]], $head . '"observe","value":2}'];
        yield 'declare, observe' => [
            $histogram,
            [[Method::Declare, 0], [Method::Observe, 2]],
            $head . '"observe","value":2}',
        ];
        $summary = self::series(Type::Summary, recipe: ['objectives' => (object) ['0' => 0.1, '1' => 0.1]]);
        $head = '{"type":"summary","name":"x","objectives":{"0":0.1,"1":0.1},"method":';
        yield 'quantiles' => [$summary, $observe, $head . '"observe","value":[0.5,2]}'];
        $broken = self::series(Type::Gauge, labels: ["a\xff" => "b\xc3("], help: "\x80");
        $head = '{"type":"gauge","name":"x","help":"�","labels":{"a�":"b�("},"method":';
        yield 'no UTF-8' => [$broken, [[Method::Set, 1]], $head . '"set","value":1}'];
    }

    /**
     * @dataProvider limits
     * @param list<int|float> $observed
     * @param list<string> $values of the deltas
     */
    public function testObservationsAreDivided(array $observed, int $limitBytes, array $values): void
    {
        $changes = array_map(static fn (int|float $value): array => [Method::Observe, $value], $observed);
        $deltas = Encoder::deltas([self::compose(self::series(Type::Histogram), ...$changes)], $limitBytes);
        $expected = array_map(static fn (string $part): string => self::HISTOGRAM . "$part]}", $values);
        self::assertSame($expected, $deltas);
        foreach ($deltas as $delta) {
            self::assertTrue(strlen($delta) <= $limitBytes || !str_contains($delta, ','));
        }
    }

    /**
     * @return iterable<string, array{list<int|float>, int, list<string>}>
     */
    public static function limits(): iterable
    {
        $frame = strlen(self::HISTOGRAM . ']}');
        // 15 bytes each.
        $all = static fn (int $values): string => implode(',', array_fill(0, $values, '1.0123456789012'));
        $five = array_fill(0, 5, 1.0123456789012);
        yield 'that just fit' => [$five, $frame + 79, [$all(5)]];
        yield 'a byte too many' => [$five, $frame + 78, [$all(4), $all(1)]];
        yield 'many' => [[...$five, ...$five, ...$five], $frame + 79, [$all(5), $all(5), $all(5)]];
    }

    /**
     * With a label of so many bytes it would be a message for each observation or two.
     *
     * @testWith [1300, 1]
     *           [40000, 1]
     *           [64000, 4]
     *           [70000, 1]
     */
    public function testALongLabelIsNotRepeatedMoreThanIsNeeded(int $bytes, int $deltas): void
    {
        $series = Series::of(Type::Histogram, 'x', '', ['query' => str_repeat('q', $bytes)], []);
        $changes = array_fill(0, 900, [Method::Observe, 0.25]);
        self::assertCount($deltas, Encoder::deltas([self::compose($series, ...$changes)], 1_432));
    }

    public function testWhatCannotBeDividedIsLongerThanTheLimit(): void
    {
        $deltas = Encoder::deltas([self::compose(self::series(Type::Histogram), [Method::Observe, 0.25])], 1);
        self::assertSame(['{"type":"histogram","name":"x","method":"observe","value":0.25}'], $deltas);
    }

    public function testEachOfManyIsADelta(): void
    {
        $changes = [];
        foreach (['x', 'y', 'z'] as $name) {
            $changes[] = self::compose(Series::of(Type::Counter, $name, '', [], []), [Method::Add, 2]);
        }
        $deltas = array_map(json_decode(...), Encoder::deltas($changes, 1));
        self::assertSame(['x', 'y', 'z'], array_column($deltas, 'name'));
        self::assertSame([], Encoder::deltas([], 1));
    }

    /**
     * An application may have set how floats are shown; it is as it was after that.
     */
    public function testSettingsOfFloatsChangeNothing(): void
    {
        $change = self::compose(
            self::series(Type::Histogram, recipe: ['buckets' => [1 / 3]]),
            [Method::Observe, 0.1 + 0.2]
        );
        $expected = Encoder::deltas([$change], 1_000);
        $before = [ini_set('serialize_precision', '5'), ini_set('precision', '5')];
        try {
            self::assertSame($expected, Encoder::deltas([$change], 1_000));
            self::assertSame('5', ini_get('serialize_precision'));
        } finally {
            ini_set('serialize_precision', $before[0]);
            ini_set('precision', $before[1]);
        }
        self::assertStringContainsString('0.3333333333333333', $expected[0]);
        self::assertStringContainsString('0.30000000000000004', $expected[0]);
    }

    /**
     * With a locale in which floats have a comma.
     */
    public function testLocalesChangeNothing(): void
    {
        $folder = Folder::make();
        (new Process(['localedef', '-i', 'de_DE', '-f', 'UTF-8', "$folder/de_DE.UTF-8"]))->wait();
        $program = sprintf(
            'require %s; %s',
            var_export(dirname(__DIR__) . '/bootstrap.php', true),
            <<<'PHP'
            echo setlocale(LC_ALL, 'de_DE.UTF-8'), sprintf(' %.1f ', 0.5);
            $client = new Pushprom\RecordingClient();
            $client->gauge('x', labels: ['a' => 0.5])->set(0.25);
            echo json_encode($client->deltas());
            PHP
        );
        $process = new Process([PHP_BINARY, '-r', $program], ['LOCPATH' => $folder]);
        self::assertSame(0, $process->wait());
        $delta = '{"type":"gauge","name":"x","labels":{"a":"0.5"},"method":"set","value":0.25}';
        self::assertSame("de_DE.UTF-8 0,5 [$delta]", $process->output());
    }

    /**
     * @param array<mixed> $labels
     * @param array<string, mixed> $recipe
     */
    private static function series(Type $type, array $labels = [], string $help = '', array $recipe = []): Series
    {
        return Series::of($type, 'x', $help, $labels, [], $recipe);
    }

    /**
     * @param array{Method, int|float} $first
     * @param array{Method, int|float} $more
     */
    private static function compose(Series $series, array $first, array ...$more): Pending
    {
        $pending = new Pending($series, ...$first);
        foreach ($more as [$method, $value]) {
            self::assertTrue($pending->compose($method, $value));
        }

        return $pending;
    }
}
