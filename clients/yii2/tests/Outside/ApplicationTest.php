<?php

declare(strict_types=1);

namespace pushprom\yii2\tests\Outside;

use PHPUnit\Framework\TestCase;
use Pushprom\Tests\Support\DatagramRecorder;
use Pushprom\Tests\Support\Folder;
use Pushprom\Tests\Support\HttpRecorder;
use Pushprom\Tests\Support\Process;
use Pushprom\Tests\Support\Server;

/**
 * The component in an application that runs on its own.
 */
final class ApplicationTest extends TestCase
{
    /**
     * @dataProvider schemes
     */
    public function testWhatAPageCountsIsOnThePageOfPushprom(string $scheme): void
    {
        $server = new Server();
        self::assertSame('', $this->page(['url' => $server->url($scheme)]));

        $page = $server->catchUp();
        self::assertSame(10.0, $page->value('orders_total{job="shop",kind="book"}'));
        self::assertSame(1.0, $page->value('http_response{job="shop",status="200"}'));
        self::assertSame(1.0, $page->value('response_time_ms_count{job="shop"}'));
        self::assertSame(1.0, $page->value('response_time_ms_bucket{job="shop",le="10000"}'));
        self::assertStringContainsString('# HELP http_response count http responses', $page->text);
        $help = '# HELP response_time_ms summary of the response time of http requests';
        self::assertStringContainsString($help, $page->text);
    }

    /**
     * @return iterable<string, array{string}>
     */
    public static function schemes(): iterable
    {
        yield 'udp' => ['udp'];
        yield 'unix' => ['unix'];
        yield 'http' => ['http'];
    }

    /**
     * @dataProvider troubles
     * @param string|null $status what the server answers with; nothing if it is empty; null means no server
     */
    public function testThePageIsShownAllTheSame(?string $status, string $reason): void
    {
        $server = $status === null ? null : new HttpRecorder($status, 'no');
        $url = 'http://' . ($server->address ?? '127.0.0.1:1');
        $start = hrtime(true);
        $timeoutMs = $status === '' ? 200 : 5_000;
        $told = $this->page(['url' => $url, 'options' => ['connectTimeoutMs' => 200, 'timeoutMs' => $timeoutMs]]);
        self::assertLessThan(5e9, hrtime(true) - $start);
        self::assertMatchesRegularExpression("~^pushprom: 3 lost \\($reason\\): $url~m", $told);
    }

    /**
     * @return iterable<string, array{string|null, string}>
     */
    public static function troubles(): iterable
    {
        yield 'nobody there' => [null, 'unreachable'];
        yield 'silent' => ['', '(timeout|unreachable)'];
        yield 'busy' => ['503 Service Unavailable', '(unavailable|unreachable)'];
        foreach (['400 Bad Request', '401 Unauthorized', '413 Payload Too Large'] as $status) {
            yield $status => [$status, 'refused'];
        }
    }

    /**
     * @dataProvider timelines
     * @param array<string, int> $timeline
     */
    public function testIsSentAfterTheResponse(string $what, array $timeline): void
    {
        $script = new Process([PHP_BINARY, __DIR__ . '/timeline.php', $what]);
        self::assertSame(0, $script->wait());
        self::assertSame($timeline, json_decode($script->errors(), true));
    }

    /**
     * @return iterable<string, array{string, array<string, int>}>
     */
    public static function timelines(): iterable
    {
        foreach (['page', 'response', 'sending'] as $what) {
            yield $what => [$what, ['handled' => 0, 'prepared' => 0, 'finished' => 0, 'sent' => 1, 'end' => 0]];
        }
        yield 'command' => ['command', ['handled' => 0, 'finished' => 0, 'end' => 1]];
    }

    /**
     * @dataProvider errors
     */
    public function testWhatACommandCountsIsSentAfterAFatalErrorToo(string $error, int $status): void
    {
        $server = new DatagramRecorder();
        $script = $this->fatal("udp://$server->address", $error);
        self::assertSame($status, $script->wait());
        $sent = implode($server->datagrams());
        self::assertStringContainsString('"name":"jobs_total","help":"Jobs.","method":"add","value":11', $sent);
        self::assertStringContainsString('"name":"ends_total"', $sent);
    }

    /**
     * @return iterable<string, array{string, int}>
     */
    public static function errors(): iterable
    {
        yield 'memory' => ['memory', 1];
        yield 'time' => ['time', 1];
    }

    public function testWhatCannotBeSentAfterAFatalErrorIsLogged(): void
    {
        $file = Folder::make() . '/log';
        $this->fatal('http://127.0.0.1:1', 'memory', $file)->wait();
        $log = (string) file_get_contents($file);
        self::assertStringStartsWith('pushprom: http://127.0.0.1:1/: ', $log);
    }

    private function fatal(string $url, string $error, ?string $log = null): Process
    {
        $log ??= Folder::make() . '/log';

        return new Process([PHP_BINARY, __DIR__ . '/fatal.php', $url, $log, $error]);
    }

    /**
     * @param array<string, mixed> $options of the component
     * @return string what was logged
     */
    private function page(array $options): string
    {
        $file = Folder::make() . '/log';
        $script = new Process([PHP_BINARY, __DIR__ . '/page.php', (string) json_encode($options), $file]);
        self::assertSame(0, $script->wait());
        self::assertSame('the page', $script->output());
        self::assertSame('', $script->errors());

        return is_file($file) ? (string) file_get_contents($file) : '';
    }
}
