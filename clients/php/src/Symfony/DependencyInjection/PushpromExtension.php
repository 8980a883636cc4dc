<?php

declare(strict_types=1);

namespace Pushprom\Symfony\DependencyInjection;

use Pushprom\ClientFactory;
use Pushprom\ClientInterface;
use Pushprom\Console\CommandMetrics;
use Pushprom\Http\RequestMetrics;
use Pushprom\Queue\JobMetrics;
use Pushprom\Symfony\CommandSubscriber;
use Pushprom\Symfony\MessageSubscriber;
use Pushprom\Symfony\RequestSubscriber;
use Symfony\Component\DependencyInjection\ContainerBuilder;
use Symfony\Component\DependencyInjection\ContainerInterface;
use Symfony\Component\DependencyInjection\Definition;
use Symfony\Component\DependencyInjection\Extension\Extension;
use Symfony\Component\DependencyInjection\Reference;

/**
 * Defines the services of the bundle. Options are looked at when services are made, not here, so that each may
 * come from the environment.
 */
final class PushpromExtension extends Extension
{
    /**
     * @param array<array<mixed>> $configs
     */
    public function load(array $configs, ContainerBuilder $container): void
    {
        $options = $this->processConfiguration(new Configuration(), $configs);
        $logger = new Reference('logger', ContainerInterface::NULL_ON_INVALID_REFERENCE);
        $container->register(ClientInterface::class, ClientInterface::class)
            ->setFactory([ClientFactory::class, 'make'])
            ->setArguments([$options, $logger])
            ->addTag('monolog.logger', ['channel' => 'pushprom']);
        $container->register(RequestMetrics::class)->setArguments(
            [self::clientIf($options['http_metrics']), $options['http_buckets'], $options['http_in_flight']]
        );
        $container->register(JobMetrics::class)->setArguments([self::clientIf($options['queue_metrics'])]);
        $container->register(CommandMetrics::class)->setArguments([self::clientIf($options['console_metrics'])]);
        $subscribers = [
            RequestSubscriber::class => RequestMetrics::class,
            MessageSubscriber::class => JobMetrics::class,
            CommandSubscriber::class => CommandMetrics::class,
        ];
        foreach ($subscribers as $subscriber => $metrics) {
            $container->register($subscriber)
                ->setArguments([new Reference($metrics), new Reference(ClientInterface::class)])
                ->addTag('kernel.event_subscriber');
        }
    }

    private static function clientIf(mixed $wanted): Definition
    {
        return (new Definition(ClientInterface::class, [$wanted, new Reference(ClientInterface::class)]))
            ->setFactory([ClientFactory::class, 'onlyIf']);
    }
}
