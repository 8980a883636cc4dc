<?php

declare(strict_types=1);

namespace pushprom\yii2;

use Pushprom\Client;
use pushprom\Connection;
use pushprom\Counter;
use Pushprom\Dropin\LabelValue;
use pushprom\Gauge;
use pushprom\Histogram;
use Pushprom\Series;
use pushprom\Summary;
use Yii;
use yii\base\Application;
use yii\base\ErrorHandler;
use yii\base\InvalidConfigException;
use yii\base\UnknownMethodException;
use yii\web\Response;

/**
 * Pushprom as a component of an application. What is recorded with it is gathered, and sent after the response.
 *
 * Once the application is configured, nothing here throws or prints; Yii::warning() is told what could not be
 * done.
 *
 * @property-read Client $client counts with the typed interface, and shares what is gathered
 */
class ConnectionProxy extends \yii\base\Component
{
    private const TYPES = [
        'counter' => Counter::class,
        'gauge' => Gauge::class,
        'histogram' => Histogram::class,
        'summary' => Summary::class,
    ];

    /**
     * @var string `udp://127.0.0.1:9090`, `unix:///run/pushprom/push.sock`, `http://127.0.0.1:9091` or
     *     `https://user:password@pushprom.example:9091`
     */
    public $url = 'udp://127.0.0.1:9090';

    /**
     * @var Connection takes the deltas of the classes of the namespace pushprom
     */
    public $connection;

    /**
     * @var array<mixed> labels of every series
     */
    public $constLabels = [];

    /**
     * @var array<string, mixed> further parameters of Pushprom\Client by name, as in `['timeoutMs' => 200]`
     */
    public $options = [];

    /**
     * @var list<int|float> upper bounds of `response_time_ms`, in milliseconds
     */
    public $responseTimeBuckets = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];

    private Client $client;

    private Warnings $warnings;

    /**
     * @inheritdoc
     * @throws InvalidConfigException if the configuration cannot be followed
     */
    public function init()
    {
        parent::init();
        $this->warnings = new Warnings();
        $warn = $this->warnings->tell(...);
        $times = \array_intersect_key($this->options, ['connectTimeoutMs' => 0, 'timeoutMs' => 0]);
        try {
            $url = self::withPort($this->url);
            $this->client = new Client($url, $this->constLabels, ...$this->options + ['logger' => $warn]);
            $this->connection = new Connection($url, $this->constLabels, $warn, $this->client, ...$times);
        } catch (\Throwable $error) {
            throw new InvalidConfigException("The component of Pushprom: {$error->getMessage()}", 0, $error);
        }
        if (Yii::$app !== null) {
            $this->sendAfterResponseOf(Yii::$app, $this->client);
            self::sendAfterFatalErrorOf(Yii::$app, $this->client);
        }
    }

    /**
     * For the typed interface: `Yii::$app->pushprom->client->counter('orders_total', 'Orders.')->inc()`.
     */
    public function getClient(): Client
    {
        return $this->client;
    }

    /**
     * Takes a delta, so that this component can stand for the connection of a metric:
     * `new \pushprom\Gauge(Yii::$app->pushprom, 'queue_length', 'Jobs.')`.
     *
     * @param array<mixed> $delta
     * @return bool|string|null
     */
    public function push(array $delta)
    {
        return $this->connection->push($delta);
    }

    /**
     * Sends what has been gathered. It happens by itself after the response and at the end; what runs on, such as
     * the worker of a queue, calls it after each job.
     *
     * @return bool whether nothing is left to send
     */
    public function flush(): bool
    {
        return $this->client->flush();
    }

    /**
     * Passes on to the connection what is no method here; then behaviors are asked, as in any component.
     *
     * @param string $name
     * @param array<mixed> $params
     * @return mixed
     */
    public function __call($name, $params)
    {
        if (\is_callable([$this->connection, $name])) {
            return $this->connection->$name(...$params);
        }
        try {
            return parent::__call($name, $params);
        } catch (UnknownMethodException $error) {
            $this->warnings->tell($error->getMessage());

            return null;
        }
    }

    /**
     * Counts a response by its status, in `http_response`.
     *
     * @param int $statusCode
     */
    public function logHttpResponse($statusCode)
    {
        $this->stat('inc', 'Counter', 'http_response', 'count http responses', ['status' => $statusCode]);
    }

    /**
     * Observes in `response_time_ms` how long ago the request began, which Yii::getLogger() knows.
     *
     * @return bool|string|null
     */
    public function logResponseTimeMs()
    {
        $histogram = new Histogram(
            $this->connection,
            'response_time_ms',
            'summary of the response time of http requests'
        );

        return $histogram->observe(1_000 * Yii::getLogger()->getElapsedTime(), $this->responseTimeBuckets);
    }

    /**
     * Calls a method of a metric.
     *
     * @param string $methodName
     * @param string $type Counter, Gauge, Histogram or Summary
     * @param string $name
     * @param string $help
     * @param array<mixed> $labels
     * @param mixed $value what the method takes, if it takes something
     */
    protected function stat($methodName, $type, $name, $help, array $labels = [], $value = null)
    {
        $type = LabelValue::text($type);
        $class = self::TYPES[\strtolower($type)] ?? null;
        if ($class === null || !\method_exists($class, $methodName)) {
            $name = LabelValue::text($name);
            $this->warnings->tell("there is no $methodName() of a $type named \"$name\"");

            return;
        }
        // Whatever has a text, as ever; what has none is told of below.
        $name = Series::text($name) ?? $name;
        $help = Series::text($help) ?? $help;
        try {
            $metric = new $class($this->connection, $name, $help, $labels);
        } catch (\Throwable $error) {
            $this->warnings->tell($error->getMessage());

            return;
        }
        \in_array($methodName, ['inc', 'dec'], true) ? $metric->$methodName() : $metric->$methodName($value);
    }

    /**
     * Sets a gauge.
     *
     * @param mixed $value
     * @param string $type
     * @param string $name
     * @param string $help
     * @param array<mixed> $labels
     */
    public function set($value, $type, $name, $help, array $labels = [])
    {
        $this->stat('set', $type, $name, $help, $labels, $value);
    }

    /**
     * One more, of a counter or a gauge.
     *
     * @param string $type
     * @param string $name
     * @param string $help
     * @param array<mixed> $labels
     */
    public function inc($type, $name, $help, $labels = [])
    {
        $this->stat('inc', $type, $name, $help, $labels);
    }

    /**
     * One less, of a gauge.
     *
     * @param string $type
     * @param string $name
     * @param string $help
     * @param array<mixed> $labels
     */
    public function dec($type, $name, $help, array $labels = [])
    {
        $this->stat('dec', $type, $name, $help, $labels);
    }

    /**
     * So many more, of a counter or a gauge.
     *
     * @param mixed $value
     * @param string $type
     * @param string $name
     * @param string $help
     * @param array<mixed> $labels
     */
    public function add($value, $type, $name, $help, array $labels = [])
    {
        $this->stat('add', $type, $name, $help, $labels, $value);
    }

    /**
     * So many fewer, of a gauge.
     *
     * @param mixed $value
     * @param string $type
     * @param string $name
     * @param string $help
     * @param array<mixed> $labels
     */
    public function sub($value, $type, $name, $help, array $labels = [])
    {
        $this->stat('sub', $type, $name, $help, $labels, $value);
    }

    /**
     * A value, for a histogram with the buckets of the server or for a summary.
     *
     * @param mixed $value
     * @param string $type
     * @param string $name
     * @param string $help
     * @param array<mixed> $labels
     */
    public function observe($value, $type, $name, $help, array $labels = [])
    {
        $this->stat('observe', $type, $name, $help, $labels, $value);
    }

    /**
     * Without a port, HTTP means port 80 or 443 to a connection, as ever, and 9091 to a client.
     */
    private static function withPort(#[\SensitiveParameter] string $url): string
    {
        $rest = '://([^/?#]*@)?(\[[^]]*]|[^/?#:@]+)(?=[/?#]|$)~i';

        return (string) \preg_replace(["~^http$rest", "~^https$rest"], ['$0:80', '$0:443'], $url);
    }

    /**
     * Sends after the response of a web application, and at the end of a command of the console.
     */
    private function sendAfterResponseOf(Application $app, Client $client): void
    {
        $finish = static fn () => $client->finish();
        $response = $app->has('response', true) ? $app->get('response') : null;
        if ($response instanceof Response) {
            $response->on(Response::EVENT_AFTER_SEND, $finish);

            return;
        }
        // There may be no response yet, and to make one here is not for a component that it may be using.
        $app->on(Application::EVENT_AFTER_REQUEST, static function () use ($app, $finish): void {
            $response = $app->get('response', false);
            $response instanceof Response ? $response->on(Response::EVENT_AFTER_SEND, $finish) : $finish();
        });
    }

    /**
     * After a fatal error, Yii ends the process before the client would send at its end. Before Yii 2.0.46 it did so
     * without a word, and nothing can be sent.
     */
    private static function sendAfterFatalErrorOf(Application $app, Client $client): void
    {
        $handler = $app->has('errorHandler', true) ? $app->get('errorHandler') : null;
        if ($handler instanceof ErrorHandler) {
            // Yii registers its own end behind this, and behind the functions that the application has registered.
            $send = static function () use ($client): void {
                $client->finish();
                Yii::getLogger()->flush(true);
            };
            $handler->on('shutdown', static fn () => \register_shutdown_function($send));
        }
    }
}
