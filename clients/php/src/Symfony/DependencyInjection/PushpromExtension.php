<?php

declare(strict_types=1);

namespace Pushprom\Symfony\DependencyInjection;

use Psr\Log\LoggerInterface;
use Pushprom\ClientFactory;
use Pushprom\ClientInterface;
use Pushprom\Console\CommandMetrics;
use Pushprom\Http\RequestMetrics;
use Pushprom\Queue\JobMetrics;
use Pushprom\Symfony\CommandSubscriber;
use Pushprom\Symfony\MessageSubscriber;
use Pushprom\Symfony\RequestSubscriber;
use Symfony\Component\DependencyInjection\Argument\ServiceClosureArgument;
use Symfony\Component\DependencyInjection\ContainerBuilder;
use Symfony\Component\DependencyInjection\ContainerInterface;
use Symfony\Component\DependencyInjection\Extension\Extension;
use Symfony\Component\DependencyInjection\Reference;

/**
 * Defines the services of the bundle. Options are looked at when the client is made, not here, so that each may come
 * from the environment; and by the factory, for which a variable that is missing is a mistake as any other.
 */
final class PushpromExtension extends Extension
{
    private const OPTIONS = 'pushprom.options';
    private const LOGGER = 'pushprom.logger';

    /**
     * @param array<array<mixed>> $configs
     */
    public function load(array $configs, ContainerBuilder $container): void
    {
        $options = $this->processConfiguration(new Configuration(), $configs);
        $container->register(self::OPTIONS, \ArrayObject::class)->setArguments([$options]);
        $container->register(self::LOGGER, LoggerInterface::class)
            ->setFactory([self::class, 'logger'])
            ->setArguments([new Reference('logger', ContainerInterface::NULL_ON_INVALID_REFERENCE)])
            ->addTag('monolog.logger', ['channel' => 'pushprom']);
        $container->register(ClientFactory::class)->setArguments([
            new ServiceClosureArgument(new Reference(self::OPTIONS)),
            new ServiceClosureArgument(new Reference(self::LOGGER)),
        ]);
        $factory = new Reference(ClientFactory::class);
        $client = new Reference(ClientInterface::class);
        $container->register(ClientInterface::class, ClientInterface::class)->setFactory([$factory, 'client']);
        $metrics = [
            RequestMetrics::class => 'requestMetrics',
            JobMetrics::class => 'jobMetrics',
            CommandMetrics::class => 'commandMetrics',
        ];
        foreach ($metrics as $class => $method) {
            $container->register($class, $class)->setFactory([$factory, $method])->setArguments([$client]);
        }
        $requests = new Reference(RequestMetrics::class);
        $subscribers = [
            RequestSubscriber::class => [$requests, $client],
            MessageSubscriber::class => [new Reference(JobMetrics::class), $client],
            CommandSubscriber::class => [new Reference(CommandMetrics::class), $requests, $client],
        ];
        foreach ($subscribers as $subscriber => $arguments) {
            $container->register($subscriber)->setArguments($arguments)->addTag('kernel.event_subscriber');
        }
    }

    /**
     * The same: a channel takes the place of an argument alone, and not of what a function is to get later.
     *
     * @internal
     */
    public static function logger(?LoggerInterface $logger): ?LoggerInterface
    {
        return $logger;
    }
}
