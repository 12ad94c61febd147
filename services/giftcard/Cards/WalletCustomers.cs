using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Cards;

/// <summary>Hands a recipient's address over to the wallet, the only place that keeps personal data.</summary>
internal sealed class WalletCustomers(HttpClient wallet)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(1.5);

    /// <summary>
    /// The customer with that address, new or known. Refuses with what the wallet says, or busy when it is away.
    /// </summary>
    public async Task<CustomerId> FindOrAddAsync(
        MerchantId merchant,
        string email,
        string? name,
        CancellationToken cancel
    )
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        deadline.CancelAfter(Deadline);
        try
        {
            using var answer = await wallet.PostAsJsonAsync(
                "/internal/customers",
                new Request(merchant, email, name),
                StrictJson.Options,
                deadline.Token
            );
            if (answer.StatusCode == System.Net.HttpStatusCode.BadRequest)
            {
                throw await PeerRefusals.InvalidAsync(answer, "/recipient", deadline.Token);
            }

            answer.EnsureSuccessStatusCode();
            var customer = await answer.Content.ReadFromJsonAsync<Response>(StrictJson.Lenient, deadline.Token);
            return customer!.CustomerId;
        }
        catch (Exception exception)
            when (exception is HttpRequestException or JsonException
                || exception is OperationCanceledException && !cancel.IsCancellationRequested
            )
        {
            throw new FaultException(CommonFaults.Busy, "The wallet did not take the recipient's address.");
        }
    }

    private sealed record Request(MerchantId MerchantId, string Email, string? Name);

    private sealed record Response(CustomerId CustomerId);
}
