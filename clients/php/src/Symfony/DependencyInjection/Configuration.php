<?php

declare(strict_types=1);

namespace Pushprom\Symfony\DependencyInjection;

use Symfony\Component\Config\Definition\Builder\TreeBuilder;
use Symfony\Component\Config\Definition\ConfigurationInterface;

/**
 * The tree of `config/packages/pushprom.yaml`. Defaults of the client are left to it.
 */
final class Configuration implements ConfigurationInterface
{
    public function getConfigTreeBuilder(): TreeBuilder
    {
        $tree = new TreeBuilder('pushprom');
        $tree->getRootNode()
            ->children()
                ->booleanNode('enabled')->defaultTrue()->end()
                ->scalarNode('url')
                    ->defaultNull()
                    ->info('udp://HOST:PORT, unix:///PATH, http://HOST:PORT or https://HOST:PORT; none: send nothing')
                ->end()
                ->arrayNode('const_labels')
                    ->info('labels of every series')
                    ->normalizeKeys(false)
                    ->useAttributeAsKey('name')
                    ->scalarPrototype()->end()
                ->end()
                ->scalarNode('token')->defaultNull()->info('over HTTP: sent as a bearer token')->end()
                ->scalarNode('ca_file')->defaultNull()->info('over HTTPS: who may sign, in PEM')->end()
                ->integerNode('connect_timeout_ms')->defaultValue(100)->info('over HTTP')->end()
                ->integerNode('timeout_ms')->defaultValue(500)->info('of one flush')->end()
                ->integerNode('retries')->defaultValue(2)->info('over HTTP, within the same time')->end()
                ->scalarNode('datagram_bytes')
                    ->defaultNull()
                    ->info('at most; null: 1432 over UDP, 8192 over unix sockets')
                ->end()
                ->floatNode('flush_interval_seconds')->defaultValue(10)->info('for workers')->end()
                ->integerNode('flush_count')->defaultValue(1000)->info('for workers')->end()
                ->booleanNode('http_metrics')->defaultTrue()->end()
                ->arrayNode('http_buckets')
                    ->info('upper bounds in seconds; none: 5 ms to 10 s')
                    ->floatPrototype()->end()
                ->end()
                ->booleanNode('http_in_flight')->defaultFalse()->info('takes a message more for each request')->end()
                ->booleanNode('queue_metrics')->defaultTrue()->end()
                ->booleanNode('console_metrics')->defaultTrue()->end()
            ->end();

        return $tree;
    }
}
