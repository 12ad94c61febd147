using LocalPlus.Sidecar.Api;
using LocalPlus.Sidecar.Resiliency;
using LocalPlus.Sidecar.Runtime;
using LocalPlus.Sidecar.Valkey;

namespace LocalPlus.Sidecar.State;

/// <summary>A store by name, with the keys and policies of one application around it.</summary>
internal sealed record NamedStore(string Name, IStateStore Store, StateKeys Keys, Policy Policy);

/// <summary>What the HTTP and the gRPC state APIs have in common: stores, keys, policies and errors.</summary>
internal sealed class StateService(SidecarRuntime runtime)
{
    private readonly Dictionary<string, NamedStore> stores = new(StringComparer.Ordinal);

    /// <summary>Called once the components are loaded.</summary>
    public void Prepare()
    {
        foreach (var store in runtime.Components.All.OfType<IStateStore>())
        {
            var name = store.Definition.Name;
            stores[name] = new NamedStore(
                name,
                store,
                StateKeys.For(runtime.App, store.Definition),
                runtime.Resiliency.Outbound("Statestore", name)
            );
        }
    }

    public NamedStore Find(string name)
    {
        if (stores.TryGetValue(name, out var store))
        {
            return store;
        }
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal) { ["appID"] = runtime.App.AppId };
        return stores.Count == 0
            ? throw new ApiException(
                500,
                GrpcCode.FailedPrecondition,
                "ERR_STATE_STORE_NOT_CONFIGURED",
                $"state store {name} is not configured"
            )
            {
                HttpDetails = new ErrorDetails("DAPR_STATE_NOT_CONFIGURED", metadata),
                GrpcDetails = new ErrorDetails("DAPR_STATE_NOT_CONFIGURED"),
            }
            : throw new ApiException(
                400,
                GrpcCode.InvalidArgument,
                "ERR_STATE_STORE_NOT_FOUND",
                $"state store {name} is not found"
            )
            {
                HttpDetails = new ErrorDetails("DAPR_STATE_NOT_FOUND", metadata),
                GrpcDetails = new ErrorDetails("DAPR_STATE_NOT_FOUND"),
            };
    }

    /// <summary>The stored form of a caller's key, which may not look like one already.</summary>
    public static string Key(NamedStore store, string key)
    {
        if (!key.Contains(StateKeys.Separator, StringComparison.Ordinal))
        {
            return store.Keys.Stored(key);
        }
        var text = $"input key/keyPrefix '{key}' can't contain '{StateKeys.Separator}'";
        var httpText = $"api error: code = InvalidArgument desc = {text}";
        var resource = new ErrorResource("state", store.Name);
        throw new ApiException(400, GrpcCode.InvalidArgument, "ERR_MALFORMED_REQUEST", text)
        {
            HttpMessage = httpText,
            HttpDetails = new ErrorDetails("DAPR_STATE_ILLEGAL_KEY", null, resource, (key, httpText)),
            GrpcDetails = new ErrorDetails("DAPR_STATE_ILLEGAL_KEY", null, resource, (key, text)),
        };
    }

    public static async ValueTask<StateEntry?> GetAsync(
        NamedStore store,
        string key,
        bool strong,
        CancellationToken cancel
    )
    {
        var stored = Key(store, key);
        try
        {
            return store.Policy.IsNone
                ? await store.Store.GetAsync(stored, strong)
                : await store.Policy.RunAsync(
                    _ => store.Store.GetAsync(stored, strong).AsTask(),
                    null,
                    null,
                    once: false,
                    cancel
                );
        }
        catch (Exception problem) when (IsFailure(problem))
        {
            throw ApiException.Simple(
                500,
                GrpcCode.Internal,
                "ERR_STATE_GET",
                $"fail to get {key} from state store {store.Name}: {problem.Message}"
            );
        }
    }

    public static async ValueTask<StateEntry?[]> GetManyAsync(
        NamedStore store,
        IReadOnlyList<string> keys,
        CancellationToken cancel
    )
    {
        var stored = keys.Select(k => Key(store, k)).ToList();
        if (stored.Count == 0)
        {
            return [];
        }
        try
        {
            return await store.Policy.RunAsync(
                _ => store.Store.GetManyAsync(stored).AsTask(),
                null,
                null,
                once: false,
                cancel
            );
        }
        catch (Exception problem) when (IsFailure(problem))
        {
            throw ApiException.Simple(500, GrpcCode.Internal, "ERR_STATE_BULK_GET", problem.Message);
        }
    }

    /// <summary>Saves items one by one: several are no transaction, what stands beside a mismatch is stored.</summary>
    public static async ValueTask SaveAsync(
        NamedStore store,
        IReadOnlyList<StateOperation> items,
        CancellationToken cancel
    )
    {
        try
        {
            if (items.Count == 1)
            {
                await SetAsync(store, items[0], cancel);
                return;
            }
            var all = Task.WhenAll(items.Select(i => SetAsync(store, i, cancel).AsTask()));
            await all;
        }
        catch (Exception problem) when (IsFailure(problem))
        {
            throw Failed(
                problem,
                "ERR_STATE_SAVE",
                $"failed saving state in state store {store.Name}: {problem.Message}"
            );
        }
    }

    /// <summary>Deletes one key. The error names the key as the caller gave it.</summary>
    public static async ValueTask DeleteAsync(
        NamedStore store,
        string key,
        StateOperation operation,
        CancellationToken cancel
    )
    {
        try
        {
            if (store.Store is not PostgresStateStore)
            {
                RequireKnown(operation);
            }
            await store.Policy.RunAsync(_ => store.Store.DeleteAsync(operation).AsTask(), cancel);
        }
        catch (Exception problem) when (IsFailure(problem))
        {
            throw Failed(problem, "ERR_STATE_DELETE", $"failed deleting state with key {key}: {problem.Message}");
        }
    }

    public static async ValueTask TransactAsync(
        NamedStore store,
        IReadOnlyList<StateOperation> operations,
        CancellationToken cancel
    )
    {
        if (operations.Count == 0)
        {
            return;
        }
        try
        {
            await store.Policy.RunAsync(_ => store.Store.TransactAsync(operations).AsTask(), cancel);
        }
        catch (Exception problem) when (IsFailure(problem))
        {
            throw ApiException.Simple(
                500,
                GrpcCode.Internal,
                "ERR_STATE_TRANSACTION",
                $"error while executing state transaction: {problem.Message}"
            );
        }
    }

    public static ApiException UnknownOperation(string operation) =>
        ApiException.Simple(
            400,
            GrpcCode.Unimplemented,
            "ERR_NOT_SUPPORTED_STATE_OPERATION",
            $"operation type {operation} not supported"
        );

    /// <summary>The query API needs a document store, which none of ours is.</summary>
    public static ApiException NoQuery(NamedStore store)
    {
        var resource = new ErrorResource("state", store.Name);
        return store.Store is RedisStateStore
            ? ApiException.Detailed(
                500,
                GrpcCode.Internal,
                "ERR_STATE_QUERY",
                $"state store {store.Name} query failed: redis-json server support is required for query capability",
                new ErrorDetails("DAPR_STATE_QUERY_FAILED", null, resource)
            )
            : ApiException.Detailed(
                500,
                GrpcCode.Internal,
                "ERR_STATE_STORE_NOT_SUPPORTED",
                "state store does not support querying",
                new ErrorDetails("DAPR_STATE_QUERYING_NOT_SUPPORTED", null, resource)
            );
    }

    private static void RequireKnown(StateOperation item)
    {
        if (item.Unknown is { } text)
        {
            throw new StateException(StateFailure.Other, text);
        }
    }

    private static async ValueTask SetAsync(NamedStore store, StateOperation item, CancellationToken cancel)
    {
        RequireKnown(item);
        if (store.Policy.IsNone)
        {
            await store.Store.SetAsync(item);
            return;
        }
        await store.Policy.RunAsync(_ => store.Store.SetAsync(item).AsTask(), cancel);
    }

    private static ApiException Failed(Exception problem, string code, string message) =>
        (problem as StateException)?.Kind switch
        {
            StateFailure.ETagMismatch => ApiException.Simple(409, GrpcCode.Aborted, code, message),
            StateFailure.ETagInvalid => ApiException.Simple(400, GrpcCode.InvalidArgument, code, message),
            _ => ApiException.Simple(500, GrpcCode.Internal, code, message),
        };

    private static bool IsFailure(Exception problem) =>
        problem
            is StateException
                or ValkeyException
                or CircuitOpenException
                or TimeoutException
                or ObjectDisposedException;
}
