<?php
// A receiver of callbacks that verifies them, to be copied from. Run it with
//   SIGNING_SECRETS=whsec_... API_KEYS=... php -S 127.0.0.1:9000 receiver.php
// /standard checks the Standard Webhooks signature, /legacy checks
// X-MoMo-Proxy-Signature. Use the first if you can: it covers the time too, so
// that a callback caught on its way cannot be played again later.
declare(strict_types=1);

// Returns the event's id (webhook-id), or null if the callback is not genuine.
// $body is the request's body as it came. Give both secrets while one is being
// replaced by another.
function verifyStandard(array $server, string $body, array $secrets): ?string
{
    $id = $server['HTTP_WEBHOOK_ID'] ?? '';
    $timestamp = $server['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
    if ($id === '' || !preg_match('/^[0-9]{1,12}\z/', $timestamp) || abs(time() - (int) $timestamp) > 300) {
        return null;
    }
    foreach ($secrets as $secret) {
        $key = base64_decode(preg_replace('/^whsec_/', '', $secret), true);
        if ($key === false || $key === '') {
            continue;
        }
        $want = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
        foreach (explode(' ', $server['HTTP_WEBHOOK_SIGNATURE'] ?? '') as $given) {
            if (hash_equals($want, $given)) {
                return $id;
            }
        }
    }
    return null;
}

// Says whether the callback was signed with one of your API keys.
function verifyLegacy(array $server, string $body, array $apiKeys): bool
{
    foreach ($apiKeys as $apiKey) {
        $want = hash_hmac('sha256', $body, $apiKey);
        if ($apiKey !== '' && hash_equals($want, $server['HTTP_X_MOMO_PROXY_SIGNATURE'] ?? '')) {
            return true;
        }
    }
    return false;
}

$body = file_get_contents('php://input'); // before anything is parsed
$genuine = match (parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH)) {
    '/standard' => verifyStandard($_SERVER, $body, explode(',', getenv('SIGNING_SECRETS') ?: '')) !== null,
    '/legacy' => verifyLegacy($_SERVER, $body, explode(',', getenv('API_KEYS') ?: '')),
    default => false,
};
if (!$genuine) {
    http_response_code(403);
    exit("not genuine\n");
}
$event = json_decode($body, true);
error_log('genuine: ' . ($event['event'] ?? '') . ' ' . ($event['externalId'] ?? '')); // here your app handles each webhook-id once
// Answer 2xx within ten seconds.
echo "thank you\n";
