<?php

declare(strict_types=1);

namespace Pushprom\Tests\Outside;

use PHPUnit\Framework\TestCase;
use Pushprom\Client;
use Pushprom\Reason;
use Pushprom\Tests\Support\Folder;
use Pushprom\Tests\Support\Process;
use Pushprom\Tests\Support\Server;

/**
 * The examples of the pages, run as written: blocks marked `php run`, each a program, and the lines that they leave
 * on /metrics, in the blocks marked `text metrics` after them.
 */
final class ReadmeTest extends TestCase
{
    private const ROOT = __DIR__ . '/../..';

    /** What the pages take for granted. */
    private const CLIENT = '$client = new Pushprom\Client(\'udp://127.0.0.1:9090\');';

    /** For promtool, a scrape each minute. */
    private const RULES_TEST = <<<'YAML'
        rule_files: [RULES]
        evaluation_interval: 1m
        tests:
          - interval: 1m
            input_series:
              - {series: 'pushclient_lost_total{app="shop",reason="timeout"}', values: 'VALUES'}
            alert_rule_test:
              - {eval_time: 10m, alertname: PhpMetricsLost, exp_alerts: ALERTS}
              - {eval_time: 25m, alertname: PhpMetricsLost, exp_alerts: []}
        YAML;

    /**
     * @dataProvider pages
     */
    public function testExamplesDoWhatThePageSays(string $page, int $least): void
    {
        $server = new Server();
        $text = (string) file_get_contents(self::ROOT . "/$page");
        preg_match_all('/^```(php run|text metrics)\n(.*?)^```$/ms', $text, $blocks, PREG_SET_ORDER);
        self::assertGreaterThanOrEqual($least, count(preg_grep('/^```php run$/m', explode("\n", $text)) ?: []));
        foreach ($blocks as [, $kind, $block]) {
            if ($kind === 'php run') {
                self::runs($block, $server);
                continue;
            }
            $shown = explode("\n", $server->catchUp()->text);
            foreach (explode("\n", trim($block)) as $line) {
                self::assertContains($line, $shown);
            }
        }
    }

    public function testAlertsAreRulesOfPrometheus(): void
    {
        self::promtool('check', 'rules', self::rules());
    }

    /**
     * @dataProvider losses
     */
    public function testTheAlertSeesALoss(string $values, string $alerts): void
    {
        $file = Folder::make() . '/test.yml';
        $labels = 'app: shop, reason: timeout';
        $loss = "exp_labels: {{$labels}}, "
            . 'exp_annotations: {summary: The client could not send deltas; its README says what each reason means.}';
        file_put_contents($file, strtr(self::RULES_TEST, [
            'RULES' => self::rules(),
            'VALUES' => $values,
            'ALERTS' => str_replace('LOSS', "{{$loss}}", $alerts),
        ]));
        self::promtool('test', 'rules', $file);
    }

    /**
     * @return iterable<string, array{string, string}> what is scraped each minute, and what is to be seen after ten
     */
    public static function losses(): iterable
    {
        yield 'with which the series is born' => ['_x5 1000x30', '[LOSS]'];
        yield 'of a series that was there' => ['0x5 1000x30', '[LOSS]'];
        yield 'not yet' => ['0x30', '[]'];
    }

    /**
     * @dataProvider tables
     * @param list<string> $expected
     */
    public function testTablesAreComplete(string $heading, array $expected): void
    {
        $text = (string) file_get_contents(self::ROOT . '/README.md');
        $section = explode("\n## ", explode("\n## $heading\n", $text, 2)[1], 2)[0];
        preg_match_all('/^\| `([A-Za-z_]+)` \|(?: (?:`([^`]*)`)? ?\|)?/m', $section, $rows, PREG_SET_ORDER);
        $shown = array_map(static fn (array $row): string => trim("$row[1] " . ($row[2] ?? '')), $rows);
        self::assertSame($expected, $shown);
    }

    /**
     * @return iterable<string, array{string, list<string>}> the heading, and what is in the first columns
     */
    public static function tables(): iterable
    {
        $reasons = array_map(static fn (Reason $reason): string => $reason->value, Reason::cases());
        yield 'reasons' => ['When Pushprom is down', $reasons];
        $options = [];
        foreach ((new \ReflectionMethod(Client::class, '__construct'))->getParameters() as $parameter) {
            $default = $parameter->isOptional() ? json_encode(
                $parameter->getDefaultValue(),
                JSON_PRESERVE_ZERO_FRACTION
            ) : '';
            $options[] = trim("{$parameter->getName()} $default");
        }
        yield 'options' => ['Options', $options];
    }

    /**
     * @return iterable<string, array{string, int}> how many examples there are at least, lest none is found
     */
    public static function pages(): iterable
    {
        yield 'README' => ['README.md', 5];
        yield 'sizing' => ['docs/sizing.md', 1];
        yield 'migrating' => ['docs/migrating.md', 2];
    }

    /**
     * @return string a file with the rules of the README
     */
    private static function rules(): string
    {
        $text = (string) file_get_contents(self::ROOT . '/README.md');
        self::assertSame(1, preg_match('/^```yaml rules\n(.*?)^```$/ms', $text, $found));
        $file = Folder::make() . '/rules.yml';
        file_put_contents($file, $found[1]);

        return $file;
    }

    private static function promtool(string ...$arguments): void
    {
        $process = new Process(['promtool', ...$arguments]);
        self::assertSame(0, $process->wait(), $process->errors() . $process->output());
    }

    private static function runs(string $example, Server $server): void
    {
        $bootstrap = var_export(realpath(self::ROOT . '/tests/bootstrap.php'), true);
        $client = str_contains($example, '$client =') ? '' : self::CLIENT;
        $program = strtr("<?php\nrequire $bootstrap;\n$client\n$example", [
            'udp://127.0.0.1:9090' => $server->url('udp'),
            'http://127.0.0.1:9091' => $server->url('http'),
            'unix:///run/pushprom/push.sock' => $server->url('unix'),
        ]);
        $file = Folder::make() . '/example.php';
        file_put_contents($file, $program);
        $process = new Process([PHP_BINARY, '-d', 'zend.assertions=1', '-d', 'display_errors=stderr', $file]);
        self::assertSame([0, ''], [$process->wait(), $process->errors()], $program);
    }
}
