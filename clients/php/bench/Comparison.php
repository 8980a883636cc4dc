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

    /** What the server counts of one look at it. */
    private readonly Traffic $look;

    /** @var array<string, list<array{Costs, Traffic}>> by way and setting, a round each */
    private array $rounds = [];

    /** @var array<string, string> constant labels, by way and setting; short, as the names of applications are */
    private array $apps = [];

    /** Rounds that were played, those that do not count among them. */
    private int $played = 0;

    private float $lost = 0.0;

    public function __construct()
    {
        $this->server = new Server();
        $before = $this->traffic();
        $this->look = $this->traffic()->minus($before);
        foreach (self::SETTINGS as $setting => ['opcache' => $opcache]) {
            $this->workers[$setting] = new Worker($opcache);
            foreach (array_keys(self::WAYS) as $way) {
                $this->apps["{$way}_$setting"] = 'app' . count($this->apps);
            }
        }
        // The first round loads and compiles, and does not count.
        $this->round();
        $this->rounds = [];
    }

    public function round(): void
    {
        $this->played += 1;
        foreach ($this->workers as $setting => $worker) {
            foreach (self::WAYS as $way => [$scheme, $client, , $requests]) {
                $url = $this->server->url($scheme);
                $app = $this->apps["{$way}_$setting"];
                $atOnce = self::SETTINGS[$setting]['loop'] ? $requests : 1;
                $before = $this->traffic();
                $costs = new Costs();
                for ($left = $requests; $left > 0; $left -= $atOnce) {
                    $costs = $costs->plus($worker->request($client, $url, $app, $atOnce));
                }
                $this->lost += $costs->lost;
                $this->rounds["{$way}_$setting"][] = [$costs, $this->traffic()->minus($before)->minus($this->look)];
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
        foreach (array_keys(self::SETTINGS) as $setting) {
            foreach (self::WAYS as $way => [, , , $requests]) {
                $app = $this->apps["{$way}_$setting"];
                $faults = [...$faults, ...Workload::missing($page, $app, $this->played * $requests)];
            }
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
            $messages = static fn (Costs $costs, Traffic $traffic): float => $traffic->messages[$scheme];
            $bytes = static fn (Costs $costs, Traffic $traffic): float => $traffic->bytes[$scheme];
            $table .= '| ' . implode(' | ', [
                $scheme,
                $client,
                sprintf('%.4g', $this->median($way, 'apart', $messages)),
                number_format($this->median($way, 'apart', $bytes)),
                $this->cpu($way, 'apart'),
                sprintf(
                    '%.0f, %.0f µs',
                    $this->median($way, 'apart', static fn (Costs $it): float => $it->user),
                    $this->median($way, 'apart', static fn (Costs $it): float => $it->system)
                ),
                $this->cpu($way, 'loop'),
                $this->cpu($way, 'plain_loop'),
                sprintf('%.0f µs', $this->median($way, 'apart', static fn (Costs $it): float => $it->recording)),
                sprintf('%.0f µs', $this->median($way, 'apart', static fn (Costs $it): float => $it->flushing)),
            ]) . " |\n";
        }

        return $table;
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
        $shown = sprintf('%.0f µs', $this->median($way, $setting, static fn (Costs $it): float => $it->cpu()));
        $other = self::WAYS[$way][2];
        if ($other === $way) {
            return $shown;
        }
        $ratios = array_map(
            static fn (array $one, array $two): float => $one[0]->cpu() / $two[0]->cpu(),
            $this->rounds["{$other}_$setting"],
            $this->rounds["{$way}_$setting"]
        );

        return sprintf('%s, 1/%.1f', $shown, self::middle($ratios));
    }

    /**
     * @param callable(Costs, Traffic): float $of a round
     */
    private function median(string $way, string $setting, callable $of): float
    {
        $values = array_map(static fn (array $round): float => $of(...$round), $this->rounds["{$way}_$setting"]);

        return self::middle($values) / self::WAYS[$way][3];
    }

    /**
     * @param list<float> $values
     */
    private static function middle(array $values): float
    {
        sort($values);
        $upper = intdiv(count($values), 2);
        $lower = intdiv(count($values) - 1, 2);

        return ($values[$lower] + $values[$upper]) / 2;
    }
}
