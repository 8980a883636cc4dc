<?php

declare(strict_types=1);

namespace Pushprom\Tests\Outside;

use PHPUnit\Framework\TestCase;
use Pushprom\Tests\Support\Process;
use Pushprom\Tests\Support\Server;

final class EndOfProcessTest extends TestCase
{
    /**
     * @dataProvider endings
     */
    public function testARequestThatEndsWithItsProcessIsCounted(string $how, int $status): void
    {
        $server = new Server();
        $process = new Process([
            PHP_BINARY,
            '-d',
            'display_errors=stderr',
            __DIR__ . '/programs/request.php',
            $server->url('unix'),
            $how,
        ]);
        $process->wait();
        $page = $server->catchUp();

        $labels = "method=\"GET\",route=\"/report\",status=\"$status\"";
        self::assertSame(1.0, $page->value("http_requests_total{{$labels}}"), $process->errors() . $page->text);
        self::assertSame(1.0, $page->sum('http_requests_total'));
        self::assertSame(0.0, $page->value('http_requests_in_flight'));
        self::assertSame('', $process->output());
    }

    /**
     * @return iterable<string, array{string, int}>
     */
    public static function endings(): iterable
    {
        yield 'exit' => ['exit', 500];
        yield 'exit after a status was set' => ['redirect', 302];
        yield 'a fatal error' => ['memory', 500];
        yield 'exit, after a child has ended' => ['fork', 500];
    }
}
