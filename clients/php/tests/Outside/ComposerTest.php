<?php

declare(strict_types=1);

namespace Pushprom\Tests\Outside;

use PHPUnit\Framework\TestCase;
use Pushprom\Tests\Support\Folder;
use Pushprom\Tests\Support\Process;

/**
 * The packages as Composer sees them, without a registry.
 */
final class ComposerTest extends TestCase
{
    /** What the packages are taken for; a release has its version from a tag. */
    private const VERSION = '1.0.0';

    /**
     * @dataProvider packages
     */
    public function testComposerJsonIsValid(string $folder): void
    {
        $said = self::composer($folder, 'validate', '--strict', '--no-check-lock');
        self::assertStringContainsString('composer.json is valid', $said);
    }

    /**
     * @return iterable<string, array{string}>
     */
    public static function packages(): iterable
    {
        foreach (glob(self::clients() . '/*/composer.json') ?: [] as $file) {
            yield basename(dirname($file)) => [dirname($file)];
        }
    }

    /**
     * @dataProvider autoloaders
     */
    public function testBothNamespacesLoad(string ...$options): void
    {
        $project = self::project(['pushprom/pushprom-php' => '^1.0']);
        self::composer($project, 'install', ...$options);
        $classes = [
            'Pushprom\Client',
            'pushprom\Connection',
            'pushprom\Counter',
            'Pushprom\Metric\Counter',
            'pushprom\Gauge',
            'pushprom\Histogram',
            'pushprom\Summary',
            'Pushprom\Metric\Gauge',
        ];
        foreach ([$classes, array_reverse($classes)] as $order) {
            self::assertSame($order, self::load($project, $order));
        }
    }

    /**
     * @return iterable<string, list<string>>
     */
    public static function autoloaders(): iterable
    {
        yield 'as it is' => [];
        yield 'optimized' => ['--optimize-autoloader'];
        yield 'authoritative' => ['--classmap-authoritative'];
    }

    public function testTakeThePlaceOfTheOldPackages(): void
    {
        $project = self::project([
            'pushprom/pushprom-yii2' => '^1.0',
            'example/counts' => '*',
        ]);
        self::composer($project, 'install');
        self::assertSame(
            ['example/counts', 'pushprom/pushprom-php', 'pushprom/pushprom-yii2', 'yiisoft/yii2'],
            self::installed($project)
        );
    }

    /**
     * @dataProvider checkouts
     */
    public function testTheCommandsOfThePageInstallACheckout(string $package, string ...$installed): void
    {
        $page = (string) file_get_contents("$package/README.md");
        self::assertSame(1, preg_match('/^```sh checkout\n(.*?)^```$/ms', $page, $found));
        $commands = str_replace('/path/to/pushprom', dirname(self::clients()), $found[1]);
        $project = self::write([], [self::package('yiisoft/yii2', '2.0.50')]);
        self::execute(['sh', '-ec', "cd $project\n$commands"]);
        self::assertSame($installed, self::installed($project));
    }

    /**
     * @return iterable<string, list<string>> the folder, and the packages that are there then
     */
    public static function checkouts(): iterable
    {
        $clients = self::clients();
        yield 'php' => ["$clients/php", 'pushprom/pushprom-php'];
        yield 'yii2' => ["$clients/yii2", 'pushprom/pushprom-php', 'pushprom/pushprom-yii2', 'yiisoft/yii2'];
    }

    /**
     * A project that finds the packages of this repository, and what only stands for something that they need.
     *
     * @param array<string, string> $require
     */
    private static function project(array $require): string
    {
        $names = array_map(
            static fn (array $package) => json_decode((string) file_get_contents("$package[0]/composer.json"))->name,
            array_values(iterator_to_array(self::packages()))
        );
        $old = ['messagebird/pushprom-php-client' => '^1.0.1', 'messagebird/pushprom-yii2-client' => '^1.0'];

        return self::write($require, [
            [
                'type' => 'path',
                'url' => self::clients() . '/*',
                'options' => ['symlink' => false, 'versions' => array_fill_keys($names, self::VERSION)],
            ],
            self::package('yiisoft/yii2', '2.0.50'),
            self::package('example/counts', '1.0.0', $old),
        ]);
    }

    /**
     * A project that finds no other packages. What is empty is left out, because Composer would write it back as a
     * list.
     *
     * @param array<string, string> $require
     * @param list<array<string, mixed>> $repositories
     */
    private static function write(array $require, array $repositories): string
    {
        $project = Folder::make();
        $repositories[] = ['packagist.org' => false];
        $contents = array_filter(['require' => $require, 'repositories' => $repositories]);
        file_put_contents("$project/composer.json", json_encode($contents));

        return $project;
    }

    /**
     * A repository of one package, which has nothing in it.
     *
     * @param array<string, string> $require
     * @return array<string, mixed>
     */
    private static function package(string $name, string $version, array $require = []): array
    {
        return [
            'type' => 'package',
            'package' => array_filter([
                'name' => $name,
                'version' => $version,
                'type' => 'metapackage',
                'require' => $require,
            ]),
        ];
    }

    /**
     * @return list<string> the packages that a project has
     */
    private static function installed(string $project): array
    {
        $installed = json_decode((string) file_get_contents("$project/vendor/composer/installed.json"), true);

        return array_column($installed['packages'], 'name');
    }

    /**
     * @param list<string> $classes
     * @return list<string> the names under which they were declared
     */
    private static function load(string $project, array $classes): array
    {
        $code = 'require "vendor/autoload.php";'
            . 'foreach (json_decode($argv[1]) as $class) { echo (new ReflectionClass($class))->getName(), "\n"; }';
        $php = new Process([PHP_BINARY, '-r', "chdir('$project'); $code", (string) json_encode($classes)]);
        self::assertSame(0, $php->wait(), $php->output() . $php->errors());

        return explode("\n", trim($php->output()));
    }

    /**
     * @return string what it said
     */
    private static function composer(string $folder, string ...$arguments): string
    {
        return self::execute(['composer', '--no-plugins', "--working-dir=$folder", ...$arguments]);
    }

    /**
     * @param list<string> $command Composer, or what runs it
     * @return string what it said
     */
    private static function execute(array $command): string
    {
        static $home = null;
        $home ??= Folder::make();
        $process = new Process($command, [
            'COMPOSER_HOME' => $home,
            'COMPOSER_ALLOW_SUPERUSER' => '1',
            'COMPOSER_DISABLE_NETWORK' => '1',
            'COMPOSER_NO_INTERACTION' => '1',
        ]);
        self::assertSame(0, $process->wait(), $process->output() . $process->errors());

        return $process->output() . $process->errors();
    }

    private static function clients(): string
    {
        return dirname(__DIR__, 3);
    }
}
