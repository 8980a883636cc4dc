<?php

declare(strict_types=1);

namespace Pushprom\Tests\Support;

/**
 * A script of a user of the client, run by a PHP of its own that shows all that it complains of.
 */
final class Script
{
    /**
     * Flags of PHP, by the Exchange that the client finds there: without its php.ini it has no extension curl.
     *
     * @var array<string, list<string>>
     */
    public const EXCHANGES = ['curl' => [], 'streams' => ['-n']];

    private const FRAME = <<<'PHP'
        <?php

        use Pushprom\Client;

        require %s;

        // Runs behind the end of those clients that are there by now.
        function afterClients(callable $work): void
        {
            register_shutdown_function(static fn () => register_shutdown_function($work));
        }

        %s
        PHP;

    /**
     * @param string $code behind the autoloader
     * @param list<string> $arguments
     * @param list<string> $flags
     */
    public static function start(string $code, array $arguments = [], array $flags = []): Process
    {
        $file = Folder::make() . '/script.php';
        self::write($file, $code);

        return new Process([PHP_BINARY, '-d', 'display_errors=1', ...$flags, $file, ...$arguments]);
    }

    /**
     * Writes it to a file.
     */
    public static function write(string $file, string $code): void
    {
        $autoloader = var_export(dirname(__DIR__) . '/bootstrap.php', true);
        file_put_contents($file, sprintf(self::FRAME, $autoloader, $code));
    }

    /**
     * Runs it to its end.
     *
     * @param list<string> $arguments
     * @param list<string> $flags
     */
    public static function run(string $code, array $arguments = [], array $flags = []): Process
    {
        $process = self::start($code, $arguments, $flags);
        $process->wait();

        return $process;
    }

    /**
     * Runs it to its end, which has to be an orderly one, without a word but for some JSON.
     *
     * @param list<string> $arguments
     * @param list<string> $flags
     * @return array<string, mixed> what it said
     */
    public static function result(string $code, array $arguments = [], array $flags = []): array
    {
        $process = self::start($code, $arguments, $flags);
        $status = $process->wait();
        $result = json_decode($process->output(), true);
        if ($status !== 0 || $process->errors() !== '' || !is_array($result)) {
            throw new \RuntimeException("status $status: {$process->output()}\n{$process->errors()}");
        }

        return $result;
    }
}
