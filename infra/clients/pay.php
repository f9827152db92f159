<?php
// Pays with the client that openapi-generator makes for PHP.
// usage: php pay.php URL LIB, the folder with the generated classes

declare(strict_types=1);

use MomoProxy\Api\PaymentsApi;
use MomoProxy\ApiException;
use MomoProxy\Configuration;
use MomoProxy\Model;

const KEY = 'APP_CHANGE_THIS';

[, $url, $lib] = $argv;
require 'GuzzleHttp/autoload.php'; // Debian's php-guzzlehttp-guzzle
spl_autoload_register(function (string $class) use ($lib): void {
    $file = $lib . '/' . str_replace('\\', '/', substr($class, strlen('MomoProxy\\'))) . '.php';
    if (str_starts_with($class, 'MomoProxy\\') && is_file($file)) {
        require $file;
    }
});

function client(string $key): PaymentsApi
{
    global $url;
    return new PaymentsApi(null, (new Configuration())->setHost($url)->setApiKey('X-Proxy-Api-Key', $key));
}

function order(string $amount, string $externalId): Model\RequestToPay
{
    return new Model\RequestToPay(['amount' => $amount, 'external_id' => $externalId,
        'payer' => new Model\Payer(['party_id_type' => 'MSISDN', 'party_id' => '26876123456'])]);
}

function refused(int $status, callable $call): Model\Error
{
    try {
        $call();
    } catch (ApiException $e) {
        if ($e->getCode() === $status) {
            return $e->getResponseObject(); // a TypeError if it is none
        }
        throw $e;
    }
    throw new Exception("no $status");
}

$app = client(KEY);
$order = bin2hex(random_bytes(16));
$started = $app->requestToPay(order('1234567.89', $order), $order);
$payment = $app->status($started->getReferenceId());
while (in_array($payment->getStatus(), [Model\Status::PENDING, Model\Status::ONGOING], true)) {
    usleep(500_000);
    $payment = $app->status($started->getReferenceId());
}
$unauthorized = refused(401, fn () => client('wrong')->status($started->getReferenceId()));
$unknown = refused(404, fn () => $app->status('7d0f5b0e-6c1e-4b0a-9a57-000000000000'));
$duplicate = refused(409, fn () => $app->requestToPay(order('1.00', $order)));
$invalid = refused(422, fn () => $app->requestToPay(order('0', "$order-0")));
if ($duplicate->getReferenceId() !== $started->getReferenceId()) {
    throw new Exception("409 names {$duplicate->getReferenceId()}");
}
echo implode(' ', [$payment->getStatus(), $payment->getAmount(), $payment->getAmountDecimal(), $unauthorized->getCode(), $unknown->getCode(),
    $duplicate->getCode(), $invalid->getCode(), $invalid->getDetails()[0]->getField()]), "\n";
