using Google.Protobuf.Collections;
using Grpc.Core;
using Wire = LocalPlus.Compat.Protos;

namespace Dapr.Client;

// Configuration and locks.
internal sealed partial class DaprClientGrpc
{
    public override async Task<GetConfigurationResponse> GetConfiguration(
        string storeName, IReadOnlyList<string> keys, IReadOnlyDictionary<string, string>? metadata = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(storeName);
        var request = new Wire.GetConfigurationRequest { StoreName = storeName };
        request.Keys.Add(keys);
        Add(request.Metadata, metadata);
        var response = await CallAsync("GetConfiguration", sidecar.GetConfigurationAsync(request, Options(cancellationToken)));
        return new GetConfigurationResponse(ToItems(response.Items));
    }

    public override Task<SubscribeConfigurationResponse> SubscribeConfiguration(
        string storeName, IReadOnlyList<string> keys, IReadOnlyDictionary<string, string>? metadata = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(storeName);
        var request = new Wire.SubscribeConfigurationRequest { StoreName = storeName };
        request.Keys.Add(keys);
        Add(request.Metadata, metadata);
        return Task.FromResult(new SubscribeConfigurationResponse(
            new Subscription(sidecar.SubscribeConfiguration(request, Options(cancellationToken)))));
    }

    public override async Task<UnsubscribeConfigurationResponse> UnsubscribeConfiguration(
        string storeName, string id, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(storeName);
        ArgumentException.ThrowIfNullOrEmpty(id);
        var request = new Wire.UnsubscribeConfigurationRequest { StoreName = storeName, Id = id };
        var response = await CallAsync(
            "UnsubscribeConfiguration", sidecar.UnsubscribeConfigurationAsync(request, Options(cancellationToken)));
        return new UnsubscribeConfigurationResponse(response.Ok, response.Message);
    }

#pragma warning disable DAPR_DISTRIBUTEDLOCK // this is where the experimental operations are made
    public override async Task<TryLockResponse> Lock(
        string storeName, string resourceId, string lockOwner, int expiryInSeconds,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(storeName);
        ArgumentException.ThrowIfNullOrEmpty(resourceId);
        ArgumentException.ThrowIfNullOrEmpty(lockOwner);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(expiryInSeconds);
        var request = new Wire.TryLockRequest
        {
            StoreName = storeName,
            ResourceId = resourceId,
            LockOwner = lockOwner,
            ExpiryInSeconds = expiryInSeconds,
        };
        var response = await CallAsync("Lock", sidecar.TryLockAlpha1Async(request, Options(cancellationToken)));
        return new TryLockResponse
        {
            Success = response.Success,
            ResourceId = resourceId,
            LockOwner = lockOwner,
            StoreName = storeName,
            Client = this,
        };
    }

    public override async Task<UnlockResponse> Unlock(
        string storeName, string resourceId, string lockOwner, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(storeName);
        ArgumentException.ThrowIfNullOrEmpty(resourceId);
        ArgumentException.ThrowIfNullOrEmpty(lockOwner);
        var request = new Wire.UnlockRequest { StoreName = storeName, ResourceId = resourceId, LockOwner = lockOwner };
        var response = await CallAsync("Lock", sidecar.UnlockAlpha1Async(request, Options(cancellationToken)));
        return new UnlockResponse((LockStatus)response.Status);
    }
#pragma warning restore DAPR_DISTRIBUTEDLOCK

    private static Dictionary<string, ConfigurationItem> ToItems(MapField<string, Wire.ConfigurationItem> items) =>
        items.ToDictionary(
            item => item.Key,
            item => new ConfigurationItem(
                item.Value.Value, item.Value.Version, new Dictionary<string, string>(item.Value.Metadata)));

    /// <summary>The first answer brings the id and nothing else; it is not passed on.</summary>
    private sealed class Subscription(AsyncServerStreamingCall<Wire.SubscribeConfigurationResponse> call)
        : ConfigurationSource
    {
        private volatile string id = "";

        public override string Id => id;

        public override async IAsyncEnumerator<IDictionary<string, ConfigurationItem>> GetAsyncEnumerator(
            CancellationToken cancellationToken = default)
        {
            using (call)
            {
                await foreach (var response in call.ResponseStream.ReadAllAsync(cancellationToken))
                {
                    id = response.Id;
                    if (response.Items.Count > 0)
                    {
                        yield return ToItems(response.Items);
                    }
                }
            }
        }
    }
}
