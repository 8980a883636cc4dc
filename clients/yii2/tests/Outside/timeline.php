<?php

// Says, in JSON, how many datagrams had come when something happened. timeline.php page: a page counts in its
// action; response: it has asked for its response before; sending: it counts when its response is sent;
// command: a command counts.

declare(strict_types=1);

use Pushprom\Tests\Support\DatagramRecorder;
use pushprom\yii2\tests\Support\Command;
use pushprom\yii2\tests\Support\Site;
use yii\base\Application;
use yii\web\Response;

require __DIR__ . '/../bootstrap.php';

[, $what] = $argv;
$server = new DatagramRecorder();
$url = "udp://$server->address";
$timeline = [];
$note = static function (string $moment) use ($server, &$timeline): void {
    $timeline[$moment] = count($server->datagrams());
};
$action = static function () use ($what): void {
    if ($what === 'response') {
        Yii::$app->getResponse();
    }
    if ($what !== 'sending') {
        Yii::$app->pushprom->inc('Counter', 'a_total', 'As.');
    }
};
$response = [
    'on afterPrepare' => static function ($event) use ($note): void {
        $note('prepared');
        $event->sender->on(Response::EVENT_AFTER_SEND, static fn () => $note('sent'));
    },
];
$application = $what === 'command' ? Command::at($url) : Site::at(['url' => $url], $action, $response);
$application->on(Application::EVENT_AFTER_REQUEST, static fn () => $note('handled'));
$application->run();
$note('end');
fwrite(STDERR, (string) json_encode($timeline));
