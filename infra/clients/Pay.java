import java.util.UUID;
import java.util.concurrent.Callable;

import momoproxy.ApiClient;
import momoproxy.ApiException;
import momoproxy.api.PaymentsApi;
import momoproxy.model.Error;
import momoproxy.model.Payer;
import momoproxy.model.RequestToPay;
import momoproxy.model.RequestToPayAmount;
import momoproxy.model.Status;

/** Pays with the client that openapi-generator makes for Java. Usage: Pay URL */
class Pay {
    static final String KEY = "APP_CHANGE_THIS";
    static String url;

    static PaymentsApi client(String key) {
        ApiClient client = new ApiClient();
        client.updateBaseUri(url);
        client.setRequestInterceptor(request -> request.header("X-Proxy-Api-Key", key));
        return new PaymentsApi(client);
    }

    static RequestToPay order(String amount, String externalId) {
        return new RequestToPay().amount(new RequestToPayAmount(amount)).externalId(externalId)
            .payer(new Payer().partyIdType(Payer.PartyIdTypeEnum.MSISDN).partyId("26876123456"));
    }

    static Error refused(int status, Callable<?> call) throws Exception {
        try {
            call.call();
        } catch (ApiException e) {
            if (e.getCode() == status) {
                return ApiClient.createDefaultObjectMapper().readValue(e.getResponseBody(), Error.class);
            }
            throw e;
        }
        throw new IllegalStateException("no " + status);
    }

    public static void main(String[] args) throws Exception {
        url = args[0];
        PaymentsApi app = client(KEY);
        String order = UUID.randomUUID().toString();
        var started = app.requestToPay(order("1234567.89", order), order);
        String reference = started.getReferenceId().toString();
        var payment = app.status(reference);
        while (payment.getStatus() == Status.PENDING || payment.getStatus() == Status.ONGOING) {
            Thread.sleep(500);
            payment = app.status(reference);
        }
        Error unauthorized = refused(401, () -> client("wrong").status(reference));
        Error unknown = refused(404, () -> app.status(UUID.randomUUID().toString()));
        Error duplicate = refused(409, () -> app.requestToPay(order("1.00", order), null));
        Error invalid = refused(422, () -> app.requestToPay(order("0", UUID.randomUUID().toString()), null));
        if (!started.getReferenceId().equals(duplicate.getReferenceId())) {
            throw new IllegalStateException("409 names " + duplicate.getReferenceId());
        }
        System.out.println(String.join(" ", payment.getStatus().getValue(), java.math.BigDecimal.valueOf(payment.getAmount()).toPlainString(),
            payment.getAmountDecimal(), unauthorized.getCode(), unknown.getCode(), duplicate.getCode(), invalid.getCode(),
            invalid.getDetails().get(0).getField()));
    }
}
