<?php

declare(strict_types=1);

namespace Pushprom\Symfony\DependencyInjection;

use Symfony\Component\Config\Definition\Builder\TreeBuilder;
use Symfony\Component\Config\Definition\ConfigurationInterface;

/**
 * The tree of `config/packages/pushprom.yaml`. Defaults are left to what is made of it; and so is the type of what
 * may come from the environment by `default:` or `json:`, of which Symfony says beforehand that it may be anything.
 */
final class Configuration implements ConfigurationInterface
{
    public function getConfigTreeBuilder(): TreeBuilder
    {
        $tree = new TreeBuilder('pushprom');
        $tree->getRootNode()
            ->children()
                ->booleanNode('enabled')->defaultNull()->end()
                ->variableNode('url')
                    ->defaultNull()
                    ->info('udp://HOST:PORT, unix:///PATH, http://HOST:PORT or https://HOST:PORT; none: send nothing')
                ->end()
                ->variableNode('const_labels')->defaultNull()->info('labels of every series, by name')->end()
                ->variableNode('token')->defaultNull()->info('over HTTP: sent as a bearer token')->end()
                ->variableNode('ca_file')->defaultNull()->info('over HTTPS: who may sign, in PEM')->end()
                ->integerNode('connect_timeout_ms')->defaultNull()->info('over HTTP')->end()
                ->integerNode('timeout_ms')->defaultNull()->info('of one flush')->end()
                ->integerNode('retries')->defaultNull()->info('over HTTP, within the same time')->end()
                ->variableNode('datagram_bytes')
                    ->defaultNull()
                    ->info('at most; null: 1432 over UDP, 8192 over unix sockets')
                ->end()
                ->floatNode('flush_interval_seconds')->defaultNull()->info('for workers')->end()
                ->integerNode('flush_count')->defaultNull()->info('for workers')->end()
                ->booleanNode('http_metrics')->defaultNull()->end()
                ->variableNode('http_buckets')
                    ->defaultNull()
                    ->info('a list of upper bounds in seconds; none: 5 ms to 10 s')
                ->end()
                ->booleanNode('http_in_flight')->defaultNull()->info('takes a message more for each request')->end()
                ->booleanNode('queue_metrics')->defaultNull()->end()
                ->booleanNode('console_metrics')->defaultNull()->end()
            ->end();

        return $tree;
    }
}
