using System.Text.Json;
using LocalPlus.Kernel;
using LocalPlus.Notification.Mails;

namespace LocalPlus.Notification.Readers;

/// <summary>Where somebody is written to. Lives for one request, is never stored.</summary>
internal sealed record ReaderAddress(string Text, byte[] Hash);

/// <summary>Asks the wallet where a customer is written to, for requests that name one.</summary>
internal sealed class ReaderAddresses(Recipients recipients, AddressRehash hashes)
{
    /// <summary>Refuses: not_found, customer_without_address, and busy while the wallet is away.</summary>
    public async Task<ReaderAddress> FindAsync(
        MerchantId merchant,
        CustomerId customer,
        string channel,
        CancellationToken cancel
    )
    {
        Recipient? reader;
        try
        {
            reader = await recipients.OfHolderAsync(customer, merchant, merchant, cancel);
        }
        catch (Exception away)
            when (away is HttpRequestException or JsonException
                || away is OperationCanceledException && !cancel.IsCancellationRequested
            )
        {
            throw new FaultException(CommonFaults.Busy, "The customer's address can not be had at the moment.");
        }

        if (reader is null)
        {
            throw new FaultException(CommonFaults.NotFound, "There is no such customer.");
        }

        return reader.At(channel) is { } text
            ? new(text, await hashes.OfAsync(merchant, channel, text, cancel))
            : throw new FaultException(
                Faults.CustomerWithoutAddress,
                "The customer has no telephone number that messages can be sent to."
            );
    }
}
