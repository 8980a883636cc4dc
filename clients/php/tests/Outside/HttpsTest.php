<?php

declare(strict_types=1);

namespace Pushprom\Tests\Outside;

use PHPUnit\Framework\TestCase;
use Pushprom\Client;
use Pushprom\Tests\Support\Certificates;
use Pushprom\Tests\Support\Folder;
use Pushprom\Tests\Support\Script;
use Pushprom\Tests\Support\Server;

final class HttpsTest extends TestCase
{
    private const COUNT = <<<'PHP'
        [, $url, $caFile, $token] = $argv;
        $client = new Client($url, token: $token ?: null, caFile: $caFile ?: null, timeoutMs: 5_000);
        $client->counter('orders_total')->inc();
        $client->flush();
        $client->counter('orders_total')->inc();
        $client->flush();
        afterClients(fn () => print(json_encode(['lost' => $client->lost()])));
        PHP;

    private const LOCAL = 'IP:127.0.0.1, DNS:localhost';

    private const ACCESS = <<<'YAML'
        access:
          principals:
            - {name: shop, token: open-sesame, rights: [push]}
            - {name: guest, token: only-looking, rights: [scrape]}
          anonymous: {rights: [scrape]}
        YAML;

    private static Certificates $ours;

    private static Certificates $others;

    public static function setUpBeforeClass(): void
    {
        self::$ours = new Certificates();
        self::$others = new Certificates();
    }

    /**
     * @param list<string> $flags
     * @dataProvider exchanges
     */
    public function testACertificateOfTheAuthorityIsTrusted(array $flags): void
    {
        $server = new Server(self::web(self::$ours->serverSettings(self::LOCAL)), 'https');
        self::assertSame([], self::push($server->url('https'), $flags, self::$ours->authorityFile()));
        self::assertSame(2.0, $server->scrape()->value('orders_total'));
    }

    /**
     * @param list<string> $flags
     * @dataProvider exchanges
     */
    public function testWithoutAFileTheAuthoritiesOfPhpAreTrusted(array $flags): void
    {
        $server = new Server(self::web(self::$ours->serverSettings(self::LOCAL)), 'https');
        self::assertSame(['unreachable' => 2], self::push($server->url('https'), $flags));
        $ours = self::$ours->authorityFile();
        $flags = ['-d', "curl.cainfo=$ours", '-d', "openssl.cafile=$ours", ...$flags];
        self::assertSame([], self::push($server->url('https'), $flags));
        self::assertSame(2.0, $server->scrape()->value('orders_total'));
    }

    /**
     * @param list<string> $flags
     * @dataProvider exchanges
     */
    public function testAChildDoesNotSpoilTheConnectionOfItsParent(array $flags): void
    {
        $server = new Server(self::web(self::$ours->serverSettings(self::LOCAL)), 'https');
        $code = <<<'PHP'
            [, $url, $caFile] = $argv;
            $client = new Client($url, caFile: $caFile, connectTimeoutMs: 5_000, timeoutMs: 5_000, retries: 0);
            $count = fn () => $client->counter('orders_total')->inc() ?? $client->flush();
            $sent = [$count()];
            for ($child = 0; $child < 3; $child++) {
                if (pcntl_fork() === 0) {
                    $count();
                    exit;
                }
                $sent[] = $count();
                pcntl_wait($status);
                $sent[] = $count();
            }
            echo json_encode($sent);
            PHP;
        self::assertSame(
            array_fill(0, 7, true),
            Script::result($code, [$server->url('https'), self::$ours->authorityFile()], $flags)
        );
        self::assertSame(10.0, $server->scrape()->value('orders_total'));
    }

    /**
     * @param list<string> $flags
     * @dataProvider exchanges
     */
    public function testABatchLongerThanARecordArrives(array $flags): void
    {
        $server = new Server(self::web(self::$ours->serverSettings(self::LOCAL)), 'https');
        $code = <<<'PHP'
            [, $url, $caFile] = $argv;
            $client = new Client($url, caFile: $caFile, connectTimeoutMs: 5_000, timeoutMs: 10_000);
            for ($i = 0; $i < 900; $i++) {
                $client->counter('orders_total', '', ['number' => str_pad((string) $i, 400, '.')])->inc();
            }
            echo json_encode([$client->flush()]);
            PHP;
        $arguments = [$server->url('https'), self::$ours->authorityFile()];
        self::assertSame([true], Script::result($code, $arguments, $flags));
        self::assertSame(900.0, $server->scrape()->sum('orders_total'));
    }

    /**
     * @param list<string> $flags
     * @dataProvider exchanges
     */
    public function testACertificateOfAnotherAuthorityIsRefused(array $flags): void
    {
        $server = new Server(self::web(self::$ours->serverSettings(self::LOCAL)), 'https');
        $lost = self::push($server->url('https'), $flags, self::$others->authorityFile());
        self::assertSame(['unreachable' => 2], $lost);
        self::assertNull($server->scrape()->value('orders_total'));
    }

    /**
     * @param list<string> $flags
     * @dataProvider exchanges
     */
    public function testACertificateForAnotherHostIsRefused(array $flags): void
    {
        $server = new Server(self::web(self::$ours->serverSettings('DNS:pushprom.example')), 'https');
        $lost = self::push($server->url('https'), $flags, self::$ours->authorityFile());
        self::assertSame(['unreachable' => 2], $lost);
        self::assertNull($server->scrape()->value('orders_total'));
    }

    /**
     * @param list<string> $flags
     * @dataProvider exchanges
     */
    public function testNothingIsSentToWhoSpeaksNoTls(array $flags): void
    {
        $server = new Server();
        $lost = self::push($server->url('https'), $flags, self::$ours->authorityFile());
        self::assertSame(['unreachable' => 2], $lost);
    }

    /**
     * @param array<string, int> $lost
     * @param list<string> $flags
     * @dataProvider users
     */
    public function testUsersHavePasswords(string $scheme, string $user, array $lost, array $flags): void
    {
        $hash = password_hash('p@ss/word', PASSWORD_BCRYPT, ['cost' => 4]);
        $settings = "basic_auth_users:\n  shop: $hash\n";
        if ($scheme === 'https') {
            $settings .= self::$ours->serverSettings(self::LOCAL);
        }
        $server = new Server(self::web($settings), $scheme, 'shop:p@ss/word');
        $url = str_replace('://', "://$user", $server->url($scheme));
        self::assertSame($lost, self::push($url, $flags, self::$ours->authorityFile()));
        self::assertSame($lost === [] ? 2.0 : null, $server->scrape()->value('orders_total'));
    }

    /**
     * @return iterable<string, array{string, string, array<string, int>, list<string>}>
     */
    public static function users(): iterable
    {
        $users = [
            'the right password' => ['shop:p%40ss%2Fword@', []],
            'a wrong password' => ['shop:password@', ['refused' => 2]],
            'another user' => ['shopper:p%40ss%2Fword@', ['refused' => 2]],
            'no user' => ['', ['refused' => 2]],
        ];
        foreach (self::everywhere() as $where => [$scheme, $flags]) {
            foreach ($users as $who => [$user, $lost]) {
                yield "$who over $where" => [$scheme, $user, $lost, $flags];
            }
        }
    }

    /**
     * @param array<string, int> $lost
     * @param list<string> $flags
     * @dataProvider tokens
     */
    public function testTokensOpen(string $scheme, string $token, array $lost, array $flags): void
    {
        $file = Folder::make() . '/pushprom.yml';
        file_put_contents($file, self::ACCESS);
        $web = $scheme === 'https' ? self::web(self::$ours->serverSettings(self::LOCAL)) : [];
        $server = new Server(["-config.file=$file", ...$web], $scheme);
        self::assertSame($lost, self::push($server->url($scheme), $flags, self::$ours->authorityFile(), $token));
        self::assertSame($lost === [] ? 2.0 : null, $server->scrape()->value('orders_total'));
    }

    /**
     * @return iterable<string, array{string, string, array<string, int>, list<string>}>
     */
    public static function tokens(): iterable
    {
        $tokens = [
            'the right token' => ['open-sesame', []],
            'a wrong token' => ['open-barley', ['refused' => 2]],
            'a token without the right' => ['only-looking', ['refused' => 2]],
            'no token' => ['', ['refused' => 2]],
        ];
        foreach (self::everywhere() as $where => [$scheme, $flags]) {
            foreach ($tokens as $which => [$token, $lost]) {
                yield "$which over $where" => [$scheme, $token, $lost, $flags];
            }
        }
    }

    public function testATokenThatWouldBreakTheHeaderIsRefusedAtOnce(): void
    {
        $this->expectException(\InvalidArgumentException::class);
        $this->expectExceptionMessage('the line end of a file');
        new Client('https://127.0.0.1:1', token: "open-sesame\n");
    }

    /**
     * @return iterable<string, array{list<string>}>
     */
    public static function exchanges(): iterable
    {
        foreach (Script::EXCHANGES as $exchange => $flags) {
            yield $exchange => [$flags];
        }
    }

    /**
     * @return iterable<string, array{string, list<string>}>
     */
    private static function everywhere(): iterable
    {
        foreach (['http', 'https'] as $scheme) {
            foreach (Script::EXCHANGES as $exchange => $flags) {
                yield "$scheme by $exchange" => [$scheme, $flags];
            }
        }
    }

    /**
     * @return list<string> the flags of a server
     */
    private static function web(string $settings): array
    {
        $file = Folder::make() . '/web.yml';
        file_put_contents($file, $settings);

        return ["-web.config.file=$file"];
    }

    /**
     * @param list<string> $flags
     * @return array<string, int> what was lost
     */
    private static function push(string $url, array $flags, string $caFile = '', string $token = ''): array
    {
        return Script::result(self::COUNT, [$url, $caFile, $token], $flags)['lost'];
    }
}
