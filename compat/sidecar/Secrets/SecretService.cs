using LocalPlus.Sidecar.Api;
using LocalPlus.Sidecar.Runtime;

namespace LocalPlus.Sidecar.Secrets;

/// <summary>Secret stores with the Configuration's scopes in front of them, for both APIs.</summary>
internal sealed class SecretService(SidecarRuntime runtime)
{
    public async ValueTask<IReadOnlyDictionary<string, string>> GetAsync(
        string storeName,
        string key,
        CancellationToken cancel
    )
    {
        var store = Find(storeName);
        if (!IsAllowed(storeName, key))
        {
            throw ApiException.Bare(
                403,
                GrpcCode.PermissionDenied,
                "ERR_PERMISSION_DENIED",
                $"access denied by policy to get \"{key}\" from \"{storeName}\""
            );
        }
        try
        {
            return await store.GetAsync(key, cancel);
        }
        catch (SecretException problem)
        {
            throw ApiException.Bare(
                500,
                GrpcCode.Internal,
                "ERR_SECRET_GET",
                $"failed getting secret with key {key} from secret store {storeName}: {problem.Message}"
            );
        }
    }

    public async ValueTask<IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>>> GetAllAsync(
        string storeName,
        CancellationToken cancel
    )
    {
        var all = await Find(storeName).GetAllAsync(cancel);
        return all.Where(p => IsAllowed(storeName, p.Key))
            .ToDictionary(p => p.Key, p => p.Value, StringComparer.Ordinal);
    }

    private ISecretStore Find(string name)
    {
        if (!runtime.Components.Any<ISecretStore>())
        {
            throw ApiException.Bare(
                500,
                GrpcCode.FailedPrecondition,
                "ERR_SECRET_STORES_NOT_CONFIGURED",
                "secret store is not configured"
            );
        }
        return runtime.Components.TryGet<ISecretStore>(name, out var store)
            ? store
            : throw ApiException.Bare(
                401,
                GrpcCode.InvalidArgument,
                "ERR_SECRET_STORE_NOT_FOUND",
                $"failed finding secret store with key {name}"
            );
    }

    private bool IsAllowed(string store, string key)
    {
        foreach (var scope in runtime.App.Resources.Configuration.SecretScopes)
        {
            if (scope.Store == store)
            {
                return scope.Allowed.Count > 0
                    ? scope.Allowed.Contains(key)
                    : !scope.Denied.Contains(key) && scope.AllowByDefault;
            }
        }
        return true;
    }
}
