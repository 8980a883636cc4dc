<?php

declare(strict_types=1);

namespace Pushprom\Tests\Outside;

use PHPUnit\Framework\TestCase;
use Pushprom\Tests\Support\Script;
use Pushprom\Tests\Support\Server;
use Pushprom\Tests\Support\Wait;

final class ScriptsTest extends TestCase
{
    /** Each counts to 2, and ends with a status. */
    private const ENDS = [
        'by its last line' => [0, '
            count_one();
            count_one();
        '],
        'by exit()' => [3, '
            count_one();
            count_one();
            exit(3);
        '],
        'by an exception' => [255, '
            count_one();
            count_one();
            throw new RuntimeException();
        '],
        'by a fatal error' => [255, '
            count_one();
            count_one();
            trigger_error("at an end", E_USER_ERROR);
        '],
        'by a fatal error that another one shows and exits' => [255, '
            count_one();
            count_one();
            register_shutdown_function(fn () => exit(255));
            trigger_error("at an end", E_USER_ERROR);
        '],
        'by a lack of memory that stays in use' => [255, '
            count_one();
            count_one();
            $GLOBALS["all"] = [];
            while (true) {
                $GLOBALS["all"][] = str_repeat("x", 1000);
            }
        '],
        'by a lack of memory at once' => [255, '
            count_one();
            count_one();
            str_repeat("x", 1 << 40);
        '],
        'by a lack of memory in small pieces' => [255, '
            count_one();
            count_one();
            $all = null; while (true) {
                $all = [$all];
            }
        '],
        'by a lack of time' => [255, '
            count_one();
            count_one();
            set_time_limit(1);
            while (true);
        '],
        'by exit() in a function for the end' => [4, '
            count_one();
            register_shutdown_function(fn () => count_one() ?? exit(4));
        '],
        'with a function for the end' => [0, '
            count_one();
            register_shutdown_function(fn () => count_one());
        '],
        'with a function for the end that another one has registered' => [0, '
            count_one();
            register_shutdown_function(fn () => register_shutdown_function(fn () => count_one()));
        '],
        'with destructors' => [0, '
            class Job
            {
                public function __construct(private Client $client)
                {
                }
                public function __destruct()
                {
                    $this->client->counter("jobs_total")->inc();
                }
            }
            $job = new Job($client);
            $other = new Job($client);
        '],
        'with destructors that come after that of the client' => [0, '
            class Job
            {
                private Job $itself;
                public function __construct(private Client $client)
                {
                    $this->itself = $this;
                }
                public function __destruct()
                {
                    $this->client->counter("jobs_total")->inc();
                }
            }
            new Job($client);
            new Job($client);
        '],
        'with the client let go of' => [0, '
            count_one();
            count_one();
            unset($client);
        '],
        'with a child that counts' => [0, '
            count_one();
            if (pcntl_fork() === 0) {
                count_one();
                exit;
            }
            pcntl_wait($status);
        '],
        'with a child that does not count' => [0, '
            count_one();
            if (pcntl_fork() === 0) {
                exit;
            }
            pcntl_wait($status);
            count_one();
        '],
        'with a child and a connection that were there before' => [0, '
            count_one();
            $client->flush();
            if (pcntl_fork() === 0) {
                exit;
            }
            pcntl_wait($status);
            count_one();
            $client->flush();
        '],
        'with a child that flushes over what was a connection' => [0, '
            $client->gauge("workers")->set(1);
            $client->flush();
            if (pcntl_fork() === 0) {
                count_one();
                $client->flush();
                exit;
            }
            count_one();
            $client->flush();
            pcntl_wait($status);
        '],
        'with a child whose parent has ended' => [0, '
            [$here, $there] = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
            if (pcntl_fork() === 0) {
                fclose($there);
                fgets($here);
                count_one();
                exit;
            }
            count_one();
        '],
    ];

    /** Flags of PHP, and what counts to 2 all the same. */
    private const CIRCUMSTANCES = [
        'with much disabled' => [
            ['-d', 'disable_functions=curl_exec,error_get_last,fsockopen,getmypid,hrtime,ini_set,proc_open'],
            'count_one(); count_one();',
        ],
        'with more open files than it can wait for' => [[], '
            for ($files = []; count($files) < 1100; ) {
                $files[] = fopen("/dev/null", "r");
            }
            count_one();
            count_one();
        '],
        'with a proxy in its environment' => [[], '
            putenv("http_proxy=http://127.0.0.1:1");
            putenv("all_proxy=http://127.0.0.1:1");
            count_one();
            count_one();
        '],
    ];

    private const BEGIN = <<<'PHP'
        $client = new Client($argv[1], timeoutMs: 5_000);
        function count_one(): void
        {
            $GLOBALS['client']->counter('jobs_total')->inc();
        }
        PHP;

    /** Where PHP itself complains, it is not to be seen: what is seen otherwise would be of the client. */
    private const SILENCE = ['-d', 'display_errors=0', '-d', 'log_errors=0'];

    /**
     * @param list<string> $flags
     * @dataProvider ends
     */
    public function testAllCountsHoweverAScriptEnds(string $scheme, array $flags, int $status, string $code): void
    {
        $server = new Server();
        $flags = [...$flags, ...($status === 255 ? self::SILENCE : []), '-d', 'memory_limit=8M'];
        $script = Script::run(self::BEGIN . $code, [$server->url($scheme)], $flags);
        self::assertSame([$status, '', ''], [$script->wait(), $script->output(), $script->errors()]);
        // A child may come later.
        Wait::for('both', static fn () => $server->scrape()->value('jobs_total') >= 2);
        self::assertSame(2.0, $server->catchUp()->value('jobs_total'));
    }

    /**
     * @return iterable<string, array{string, list<string>, int, string}>
     */
    public static function ends(): iterable
    {
        foreach (self::transports() as $transport => [$scheme, $flags]) {
            foreach (self::ENDS as $end => [$status, $code]) {
                yield "$end over $transport" => [$scheme, $flags, $status, $code];
            }
            foreach (self::CIRCUMSTANCES as $circumstance => [$more, $code]) {
                yield "$circumstance over $transport" => [$scheme, [...$flags, ...$more], 0, $code];
            }
        }
    }

    /**
     * What an application does in functions for the end, after that of the client, when there was too little memory.
     *
     * @dataProvider lacksOfMemory
     * @param list<string> $flags
     */
    public function testAnApplicationComesToItsOwnEnd(array $flags, string $code, string $output): void
    {
        $server = new Server();
        $script = Script::run(self::BEGIN . $code, [$server->url('udp')], [...$flags, ...self::SILENCE]);
        self::assertSame([255, $output], [$script->wait(), $script->output()]);
    }

    /**
     * @return iterable<string, array{list<string>, string, string}>
     */
    public static function lacksOfMemory(): iterable
    {
        yield 'its memory is not made less' => [
            ['-d', 'memory_limit=64M'],
            '
                count_one();
                register_shutdown_function(static function (): void {
                    str_repeat("x", 40 << 20);
                    echo ini_get("memory_limit");
                });
                str_repeat("x", 100 << 20);
            ',
            '64M',
        ];
        yield 'its memory cannot be made more' => [
            ['-d', 'memory_limit=8M', '-d', 'disable_functions=ini_set'],
            '
                count_one();
                $reserve = str_repeat("x", 32_768);
                register_shutdown_function(static function () use (&$reserve): void {
                    $reserve = null;
                    echo "a page";
                });
                while (true) {
                    $GLOBALS["all"][] = str_repeat("x", 100);
                }
            ',
            'a page',
        ];
    }

    /**
     * @param list<string> $flags
     * @dataProvider transports
     */
    public function testWhatPhpCannotSendIsCounted(string $scheme, array $flags): void
    {
        $server = new Server();
        $code = self::BEGIN . 'count_one(); afterClients(fn () => print(json_encode($client->lost())));';
        $flags = [...$flags, '-d', 'disable_functions=curl_exec,stream_socket_client'];
        self::assertSame(['fault' => 1], Script::result($code, [$server->url($scheme)], $flags));
    }

    /**
     * @param list<string> $flags
     * @dataProvider transports
     */
    public function testVeryManySeriesArrive(string $scheme, array $flags): void
    {
        $server = new Server();
        $code = <<<'PHP'
            $client = new Client($argv[1], timeoutMs: 10_000, flushCount: 100_000);
            for ($i = 0; $i < 12_000; $i++) {
                $client->counter('orders_total', 'Orders of books.', ['number' => (string) $i])->inc();
            }
            echo json_encode($client->flush());
            PHP;
        self::assertSame('true', Script::run($code, [$server->url($scheme)], $flags)->output());
        self::assertSame(12_000.0, $server->catchUp()->sum('orders_total'));
    }

    /**
     * @return iterable<string, array{string, list<string>}>
     */
    public static function transports(): iterable
    {
        yield 'unix' => ['unix', []];
        foreach (Script::EXCHANGES as $exchange => $flags) {
            yield "http by $exchange" => ['http', $flags];
        }
    }
}
