<?php

declare(strict_types=1);

namespace Pushprom\Bench;

use Pushprom\Tests\Support\Server;

/**
 * Both clients in turn, over each transport that they have, in each of three settings.
 */
final class Comparison
{
    /**
     * Over what, which client, what it is compared with, and how many requests a round has: no more than whose
     * datagrams the kernel keeps for a server that is late.
     */
    private const WAYS = [
        'udp_old' => ['udp', 'old', 'udp_old', 200],
        'udp_new' => ['udp', 'new', 'udp_old', 200],
        'unix_new' => ['unix', 'new', 'udp_old', 200],
        'http_old' => ['http', 'old', 'http_old', 40],
        'http_new' => ['http', 'new', 'http_old', 40],
    ];

    /** Whether there is opcache, and whether requests are played in a loop, where all is loaded and warm. */
    private const SETTINGS = [
        'apart' => ['opcache' => true, 'loop' => false],
        'loop' => ['opcache' => true, 'loop' => true],
        'plain_loop' => ['opcache' => false, 'loop' => true],
    ];

    private readonly Server $server;

    /** @var array<string, Worker> by setting */
    private array $workers = [];

    /** What it counts of one look at it. */
    private readonly Traffic $look;

    /** @var array<string, array<string, list<float>>> by way and setting, of each round what a request took */
    private array $figures = [];

    /** @var array<string, int> by way and setting */
    private array $requests = [];

    /** @var array<string, string> constant labels, by way and setting */
    private array $apps = [];

    private float $lost = 0.0;

    public function __construct()
    {
        $this->server = new Server();
        $before = $this->traffic();
        $this->look = $this->traffic()->without($before);
        foreach (self::SETTINGS as $setting => ['opcache' => $opcache]) {
            $this->workers[$setting] = new Worker($opcache);
        }
        // The first round loads and compiles, and does not count.
        $this->round();
        $this->figures = [];
    }

    public function round(): void
    {
        foreach (array_keys(self::SETTINGS) as $setting) {
            foreach (array_keys(self::WAYS) as $way) {
                $this->measure($way, $setting);
            }
        }
    }

    /**
     * What has not arrived as it should.
     *
     * @return list<string>
     */
    public function faults(): array
    {
        $faults = $this->lost > 0 ? ["$this->lost deltas were lost by the client's own account"] : [];
        $page = $this->server->catchUp();
        foreach ($this->requests as $figures => $requests) {
            $faults = [...$faults, ...Workload::missing($page, $this->apps[$figures], $requests)];
        }

        return $faults;
    }

    /**
     * Of a request: medians of all rounds.
     */
    public function table(): string
    {
        $table = "| over | client | messages | bytes | CPU | user, system | in a loop | without opcache "
            . "| recording | flush |\n|---|---|---|---|---|---|---|---|---|---|\n";
        foreach (self::WAYS as $way => [$scheme, $client]) {
            $apart = $this->figures["{$way}_apart"];
            $cells = [
                $scheme,
                $client,
                sprintf('%.4g', self::median($apart['messages'])),
                number_format(self::median($apart['bytes'])),
                $this->cpu($way, 'apart'),
                sprintf('%.0f, %.0f µs', self::median($apart['user']), self::median($apart['system'])),
                $this->cpu($way, 'loop'),
                $this->cpu($way, 'plain_loop'),
                sprintf('%.0f µs', self::median($apart['recording'])),
                sprintf('%.0f µs', self::median($apart['flushing'])),
            ];
            $table .= '| ' . implode(' | ', $cells) . " |\n";
        }

        return $table;
    }

    private function measure(string $way, string $setting): void
    {
        [$scheme, $client, , $requests] = self::WAYS[$way];
        $figures = "{$way}_$setting";
        // Short, as the names of applications are.
        $app = $this->apps[$figures] ??= 'app' . count($this->apps);
        $url = $this->server->url($scheme);
        $atOnce = self::SETTINGS[$setting]['loop'] ? $requests : 1;
        $before = $this->traffic();
        $costs = [];
        for ($played = 0; $played < $requests; $played += $atOnce) {
            foreach ($this->workers[$setting]->request($client, $url, $app, $atOnce) as $what => $cost) {
                $costs[$what] = ($costs[$what] ?? 0) + $cost;
            }
        }
        $traffic = $this->traffic()->without($before)->without($this->look);
        $this->requests[$figures] = ($this->requests[$figures] ?? 0) + $requests;
        $this->lost += $costs['lost'];
        $costs['cpu'] = $costs['user'] + $costs['system'];
        $costs['messages'] = $traffic->messages[$scheme];
        $costs['bytes'] = $traffic->bytes[$scheme];
        foreach ($costs as $what => $cost) {
            $this->figures[$figures][$what][] = $cost / $requests;
        }
    }

    private function traffic(): Traffic
    {
        return Traffic::on($this->server->catchUp());
    }

    /**
     * How much, and what part of what it is compared with, round by round.
     */
    private function cpu(string $way, string $setting): string
    {
        $own = $this->figures["{$way}_$setting"]['cpu'];
        $shown = sprintf('%.0f µs', self::median($own));
        $other = self::WAYS[$way][2];
        if ($other === $way) {
            return $shown;
        }
        $ratios = array_map(
            static fn (float $one, float $two): float => $one / $two,
            $this->figures["{$other}_$setting"]['cpu'],
            $own
        );

        return sprintf('%s, 1/%.1f', $shown, self::median($ratios));
    }

    /**
     * @param non-empty-list<float> $values
     */
    private static function median(array $values): float
    {
        sort($values);
        $middle = intdiv(count($values), 2);

        return count($values) % 2 === 1 ? $values[$middle] : ($values[$middle - 1] + $values[$middle]) / 2;
    }
}
