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
        $installed = json_decode((string) file_get_contents("$project/vendor/composer/installed.json"), true);
        self::assertSame(
            ['example/counts', 'pushprom/pushprom-php', 'pushprom/pushprom-yii2', 'yiisoft/yii2'],
            array_column($installed['packages'], 'name')
        );
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
        $package = static fn (string $name, string $version, array $require = []): array => [
            'type' => 'package',
            'package' => [
                'name' => $name,
                'version' => $version,
                'type' => 'metapackage',
                'require' => (object) $require,
            ],
        ];
        $project = Folder::make();
        file_put_contents("$project/composer.json", json_encode([
            'require' => $require,
            'repositories' => [
                [
                    'type' => 'path',
                    'url' => self::clients() . '/*',
                    'options' => ['symlink' => false, 'versions' => array_fill_keys($names, self::VERSION)],
                ],
                $package('yiisoft/yii2', '2.0.50'),
                $package('example/counts', '1.0.0', $old),
                ['packagist.org' => false],
            ],
        ]));

        return $project;
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
        static $home = null;
        $home ??= Folder::make();
        $command = ['composer', '--no-interaction', '--no-plugins', "--working-dir=$folder", ...$arguments];
        $composer = new Process($command, [
            'COMPOSER_HOME' => $home,
            'COMPOSER_ALLOW_SUPERUSER' => '1',
            'COMPOSER_DISABLE_NETWORK' => '1',
        ]);
        self::assertSame(0, $composer->wait(), $composer->output() . $composer->errors());

        return $composer->output() . $composer->errors();
    }

    private static function clients(): string
    {
        return dirname(__DIR__, 3);
    }
}
