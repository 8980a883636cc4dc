<?php

declare(strict_types=1);

namespace Pushprom\Tests\Unit;

use PHPUnit\Framework\TestCase;
use pushprom\Connection;
use Pushprom\Endpoint;

final class EndpointTest extends TestCase
{
    /**
     * @dataProvider addresses
     */
    public function testAnAddress(string $url, string $address, ?string $credentials = null): void
    {
        $endpoint = Endpoint::parse($url);
        self::assertSame($address, (string) $endpoint);
        $header = $credentials === null ? null : 'Basic ' . base64_encode($credentials);
        self::assertSame($header, $endpoint->basicAuthorization());
    }

    /**
     * @return iterable<string, array{0: string, 1: string, 2?: string}>
     */
    public static function addresses(): iterable
    {
        $all = [
            ['udp://127.0.0.1', 'udp://127.0.0.1:9090'],
            ['udp://127.0.0.1:19090/', 'udp://127.0.0.1:19090'],
            ['UDP://pushprom.example:1', 'udp://pushprom.example:1'],
            ['udp://[::1]:9090', 'udp://[::1]:9090'],
            ['http://[2001:db8::1]', 'http://[2001:db8::1]:9091/'],
            ['http://127.0.0.1', 'http://127.0.0.1:9091/'],
            ['HTTPS://127.0.0.1:65535/metrics/push', 'https://127.0.0.1:65535/metrics/push'],
            ['unix:///run/push.sock', 'unix:///run/push.sock'],
            ['UNIX:///run/a b?c', 'unix:///run/a b?c'],
            ['http://shop:secret@127.0.0.1', 'http://127.0.0.1:9091/', 'shop:secret'],
            ['http://sh%3Fop:p%40s%2Fs%23@[::1]:80', 'http://[::1]:80/', 'sh?op:p@s/s#'],
            ['http://shop:p@s:s+@127.0.0.1', 'http://127.0.0.1:9091/', 'shop:p@s:s+'],
            ['http://shop@127.0.0.1', 'http://127.0.0.1:9091/', 'shop:'],
        ];
        foreach ($all as $one) {
            yield $one[0] => $one;
        }
    }

    /**
     * @dataProvider faults
     */
    public function testWhatIsNoAddressIsRefusedAndNotShown(string $url, string $fault): void
    {
        try {
            Endpoint::parse($url);
        } catch (\InvalidArgumentException $error) {
            self::assertStringContainsString("pushprom: the URL $fault", $error->getMessage());
            self::assertStringNotContainsString('secret', $error->getMessage());

            return;
        }
        self::fail("not refused: $url");
    }

    /**
     * @return iterable<string, array{string, string}>
     */
    public static function faults(): iterable
    {
        $faults = [
            'is no address; write udp://HOST:PORT' => [
                '',
                'secret',
                '127.0.0.1:9090',
                'us:secret@127.0.0.1:9091',
                'http:us:secret@127.0.0.1:9091',
                '//us:secret@127.0.0.1:9091',
                'http://us:secret',
                'ftp://secret',
                'udp://',
                'udp://:9090',
                'udp://127.0.0.1:99999',
                'udp://::1:9090',
                'http://[::1:9091',
                'unix:/run/secret',
                ' http://127.0.0.1',
                "http://127.0.0.1\n",
                'http://127.0.0.1/a secret',
                "udp://127.0.0.1\0:9090",
            ],
            'has no absolute path; write unix:///run' => ['unix://run/secret', 'unix://'],
            'has an @ behind a /, ? or #; write %2F' => [
                'http://us:12/secret@127.0.0.1:9091',
                'http://us:secret/34@127.0.0.1',
                'http://us:12?secret@127.0.0.1',
                'http://us:12#secret@127.0.0.1',
                "http://us:12/sec\nret@127.0.0.1",
                'http://127.0.0.1/secret@home',
            ],
            'has a query or a fragment' => ['http://h?secret=1', 'http://h/path?', 'udp://h#secret', 'https://h/#'],
            'has the port 0' => ['http://127.0.0.1:0', 'udp://127.0.0.1:00', 'https://us:secret@127.0.0.1:0/'],
        ];
        foreach ($faults as $fault => $urls) {
            foreach ($urls as $url) {
                yield (string) json_encode($url) => [$url, $fault];
            }
        }
    }

    /**
     * @dataProvider takers
     * @param class-string $class
     */
    public function testTracesDoNotShowIt(string $class, string $method): void
    {
        $parameter = new \ReflectionParameter([$class, $method], 'url');
        self::assertCount(1, $parameter->getAttributes('SensitiveParameter'));
    }

    /**
     * @return iterable<string, array{class-string, string}>
     */
    public static function takers(): iterable
    {
        yield 'endpoint' => [Endpoint::class, 'parse'];
        yield 'connection' => [Connection::class, '__construct'];
    }
}
