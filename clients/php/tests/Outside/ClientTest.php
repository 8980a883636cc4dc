<?php

declare(strict_types=1);

namespace Pushprom\Tests\Outside;

use PHPUnit\Framework\TestCase;
use Pushprom\Client;
use Pushprom\Tests\Support\FakeServer;
use Pushprom\Tests\Support\Script;
use Pushprom\Tests\Support\Server;

/**
 * What is around the sending: signals, losses and their news, copies, and what the constructor refuses.
 */
final class ClientTest extends TestCase
{
    private const REFUSED_IN_PART = '{"applied":1,"rejected":[{"error":"no","index":1}]}';

    /** A request that is never answered, and then an alarm in the middle of it. */
    private const ALARM = <<<'PHP'
        pcntl_async_signals(true);
        pcntl_signal(SIGALRM, static fn () => %s);
        $client = new Client($argv[1], timeoutMs: 1500, retries: 0);
        $client->counter('a_total')->inc();
        pcntl_alarm(1);
        PHP;

    public function testWhatAHandlerOfSignalsThrowsReachesTheApplication(): void
    {
        $server = new FakeServer([['', FakeServer::HANG]]);
        $result = Script::result(
            sprintf(self::ALARM, 'throw new RuntimeException("time is up")') . <<<'PHP'

                try {
                    $client->flush();
                } catch (RuntimeException $error) {
                    $caught = $error->getMessage();
                }
                echo json_encode([$caught ?? null, $client->lost(), pcntl_async_signals()]);
                PHP,
            ["http://$server->address"]
        );
        self::assertSame(['time is up', [], true], $result);
    }

    public function testWhatIsBeingSentWhenAHandlerExitsIsCounted(): void
    {
        $server = new FakeServer([['', FakeServer::HANG]]);
        $result = Script::result(
            sprintf(self::ALARM, 'exit()') . <<<'PHP'

                afterClients(static fn () => print(json_encode($client->lost())));
                $client->flush();
                PHP,
            ["http://$server->address"]
        );
        self::assertSame(['timeout' => 1], $result);
    }

    /**
     * @dataProvider handlers
     */
    public function testAHandlerOfSignalsTakesNothingFromWhatItInterrupts(string $handler): void
    {
        $server = new Server();
        $result = Script::result(<<<PHP
            pcntl_async_signals(true);
            \$client = new Client(\$argv[1], timeoutMs: 5_000, flushCount: 1_000_000);
            \$jobs = \$client->counter('jobs_total');
            // PHP loads no class within the loading of the same one.
            \$jobs->inc();
            \$client->flush();
            \$counted = 1;
            pcntl_signal(SIGUSR1, static function () use (\$client, \$jobs, &\$counted): void {
                $handler
            });
            if (pcntl_fork() === 0) {
                for (\$i = 0; \$i < 4_000; \$i++) {
                    posix_kill(posix_getppid(), SIGUSR1);
                    usleep(50);
                }
                exit;
            }
            while (pcntl_wait(\$status, WNOHANG) === 0) {
                for (\$i = 0; \$i < 100; \$i++) {
                    \$jobs->inc();
                    \$counted += 1;
                }
            }
            \$client->flush();
            echo json_encode([\$counted, \$client->lost()]);
            PHP, [$server->url('unix')]);
        self::assertSame([(int) $server->catchUp()->value('jobs_total'), []], $result);
    }

    /**
     * @return iterable<string, array{string}>
     */
    public static function handlers(): iterable
    {
        yield 'it flushes' => ['$client->flush();'];
        yield 'it counts' => ['$jobs->inc(); $counted += 1;'];
    }

    /**
     * @param list<string> $answers
     * @dataProvider refusals
     */
    public function testTheNewsOfALossIsToldOnce(array $answers, int $refused, int $requests): void
    {
        $turns = array_map(static fn (string $body) => [FakeServer::answer(400, $body), FakeServer::KEEP], $answers);
        $server = new FakeServer($turns);
        $client = new Client("http://$server->address");
        $client->counter('a_total')->inc();
        $client->counter('b_total')->inc();
        for ($i = 0; $i < 5; $i++) {
            $client->flush();
        }
        self::assertSame(['refused' => $refused], $client->lost());
        self::assertCount($requests, $server->requests());
    }

    /**
     * @return iterable<string, array{list<string>, int, int}>
     */
    public static function refusals(): iterable
    {
        yield 'all is refused, so nobody is told' => [['no'], 2, 1];
        yield 'the news is refused too' => [[self::REFUSED_IN_PART, 'no'], 2, 2];
    }

    public function testAFlushWithNewsOfALossTakesNoLonger(): void
    {
        $server = new FakeServer([
            [FakeServer::answer(400, self::REFUSED_IN_PART), FakeServer::KEEP],
            ['', FakeServer::HANG],
        ]);
        $client = new Client("http://$server->address", timeoutMs: 400, retries: 0);
        $client->counter('a_total')->inc();
        $client->counter('b_total')->inc();
        $begin = hrtime(true);
        $client->flush();
        self::assertLessThan(600, (hrtime(true) - $begin) / 1e6);
        self::assertCount(2, $server->requests());
    }

    public function testALoggerThatFlushesDoesNoHarm(): void
    {
        $client = null;
        $lines = 0;
        $logger = static function (string $message) use (&$client, &$lines): void {
            $lines += 1;
            $client?->flush();
        };
        $client = new Client('unix:///nowhere/push.sock', logger: $logger);
        $client->counter('a_total')->inc();
        self::assertFalse($client->flush());
        self::assertSame(['unreachable' => 1], $client->lost());
        self::assertSame(1, $lines);
    }

    public function testAForkedProcessHasLostNothingYet(): void
    {
        $result = Script::result(<<<'PHP'
            $client = new Client('unix:///nowhere/push.sock');
            $client->counter('a_total')->add(-1);
            if (pcntl_fork() === 0) {
                echo json_encode($client->lost() + ['child' => true]);
                exit;
            }
            pcntl_wait($status);
            PHP);
        self::assertSame(['child' => true], $result);
    }

    public function testThereIsOneOfAClient(): void
    {
        $client = new Client('unix:///nowhere/push.sock', token: 'secret');
        try {
            serialize($client->counter('a_total'));
            self::fail('it was serialized');
        } catch (\LogicException $error) {
            self::assertStringContainsString('make it where it is needed', $error->getMessage());
        }
        try {
            unserialize('O:15:"Pushprom\Client":0:{}');
            self::fail('it was unserialized');
        } catch (\LogicException $error) {
            self::assertStringContainsString('cannot be unserialized', $error->getMessage());
        }
        $this->expectException(\Error::class);
        clone $client;
    }

    public function testADumpHasNoSecrets(): void
    {
        $client = new Client('http://user:password@127.0.0.1:1/', token: 'token-of-mine');
        $dump = print_r($client->counter('a_total'), true);
        self::assertStringContainsString('http://127.0.0.1:1/', $dump);
        self::assertDoesNotMatchRegularExpression('/password|token-of-mine/', $dump);
    }

    /**
     * @param array<string, mixed> $option
     * @dataProvider mistakes
     */
    public function testAnOptionThatMakesNoSenseIsRefused(array $option, string $message): void
    {
        $this->expectException(\InvalidArgumentException::class);
        $this->expectExceptionMessage($message);
        new Client(...['url' => 'udp://127.0.0.1:1', ...$option]);
    }

    /**
     * @return iterable<string, array{array<string, mixed>, string}>
     */
    public static function mistakes(): iterable
    {
        yield 'no time' => [['timeoutMs' => 0], 'timeoutMs is 0, and has to be from 1 to 60000'];
        yield 'more than a minute' => [['timeoutMs' => PHP_INT_MAX], 'timeoutMs is 9223372036854775807'];
        yield 'seconds that are none' => [['flushIntervalSeconds' => NAN], 'flushIntervalSeconds is NAN'];
        yield 'seconds before' => [['flushIntervalSeconds' => -1.0], 'flushIntervalSeconds is -1'];
        yield 'fewer attempts than none' => [['retries' => -1], 'retries is -1, and has to be from 0 to 10'];
        yield 'a datagram that is too long' => [['datagramBytes' => 65_508], 'has to be from 1 to 65507'];
        yield 'no token' => [['token' => ''], 'the token is empty'];
        yield 'a line end in the token' => [['token' => "secret\n"], 'is it the line end of a file?'];
        yield 'a label without a name' => [['constLabels' => ['shop']], 'constLabels: labels need names'];
    }
}
