<?php

declare(strict_types=1);

namespace Pushprom\Tests\Outside;

use PHPUnit\Framework\TestCase;
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

    /**
     * @return iterable<string, array{string, int}> how many examples there are at least, lest none is found
     */
    public static function pages(): iterable
    {
        yield 'README' => ['README.md', 5];
        yield 'sizing' => ['docs/sizing.md', 1];
        yield 'migrating' => ['docs/migrating.md', 2];
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
