using Dapr.Client.Autogen.Grpc.v1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using LocalPlus.Sidecar.Api.Http;
using LocalPlus.Sidecar.Configuration;
using LocalPlus.Sidecar.Invoke;

namespace LocalPlus.Sidecar.Api.Grpc;

internal sealed partial class DaprService
{
    public Task<InvokeResponse> InvokeService(InvokeServiceRequest request, ServerCallContext context) =>
        GrpcErrors.GuardAsync(() => new InvokeCall(runtime).SendAsync(request, context));

    public Task<InvokeBindingResponse> InvokeBinding(InvokeBindingRequest request, ServerCallContext context) =>
        GrpcErrors.GuardAsync(async () =>
        {
            var answer = await runtime.Bindings.InvokeAsync(
                request.Name,
                request.Operation,
                request.Data.Memory,
                request.Metadata.ToDictionary(),
                context.CancellationToken
            );
            var response = new InvokeBindingResponse { Data = ByteString.CopyFrom(answer.Data ?? []) };
            foreach (var (key, value) in answer.Metadata ?? new Dictionary<string, string>())
            {
                response.Metadata[key] = value;
            }
            return response;
        });

    public Task<GetSecretResponse> GetSecret(GetSecretRequest request, ServerCallContext context) =>
        GrpcErrors.GuardAsync(async () =>
        {
            var response = new GetSecretResponse();
            response.Data.Add(
                await runtime.Secrets.GetAsync(request.StoreName, request.Key, context.CancellationToken).AsTask()
                    is { } secret
                    ? new Dictionary<string, string>(secret)
                    : []
            );
            return response;
        });

    public Task<GetBulkSecretResponse> GetBulkSecret(GetBulkSecretRequest request, ServerCallContext context) =>
        GrpcErrors.GuardAsync(async () =>
        {
            var response = new GetBulkSecretResponse();
            foreach (
                var (name, values) in await runtime.Secrets.GetAllAsync(request.StoreName, context.CancellationToken)
            )
            {
                var secret = new SecretResponse();
                secret.Secrets.Add(new Dictionary<string, string>(values));
                response.Data[name] = secret;
            }
            return response;
        });

    public Task<GetConfigurationResponse> GetConfiguration(
        GetConfigurationRequest request,
        ServerCallContext context
    ) =>
        GrpcErrors.GuardAsync(async () =>
        {
            var response = new GetConfigurationResponse();
            foreach (
                var (key, value) in await runtime.Configuration.GetAsync(
                    request.StoreName,
                    request.Keys,
                    context.CancellationToken
                )
            )
            {
                response.Items[key] = Item(value);
            }
            return response;
        });

    public Task<GetConfigurationResponse> GetConfigurationAlpha1(
        GetConfigurationRequest request,
        ServerCallContext context
    ) => GetConfiguration(request, context);

    public async Task SubscribeConfiguration(
        SubscribeConfigurationRequest request,
        IServerStreamWriter<SubscribeConfigurationResponse> responseStream,
        ServerCallContext context
    )
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(
            context.CancellationToken,
            runtime.App.Stopping
        );
        using var writing = new SemaphoreSlim(0, 1);
        string? id = null;
        try
        {
            id = await runtime.Configuration.SubscribeAsync(request.StoreName, request.Keys, Handler, ending.Token);
            await responseStream.WriteAsync(new SubscribeConfigurationResponse { Id = id }, ending.Token);
            writing.Release();
            await Task.Delay(Timeout.Infinite, ending.Token);
        }
        catch (ApiException problem)
        {
            throw GrpcErrors.ToRpc(problem);
        }
        catch (OperationCanceledException)
        {
            // The client, or the sidecar, has had enough.
        }
        finally
        {
            if (id is not null)
            {
                await runtime.Configuration.UnsubscribeAsync(id);
            }
        }

        ConfigurationChanged Handler(string subscription) =>
            async (key, value) =>
            {
                var change = new SubscribeConfigurationResponse { Id = subscription };
                change.Items[key] = value is null ? new ConfigurationItem() : Item(value);
                await writing.WaitAsync(ending.Token);
                try
                {
                    await responseStream.WriteAsync(change, ending.Token);
                }
                finally
                {
                    writing.Release();
                }
            };
    }

    public Task SubscribeConfigurationAlpha1(
        SubscribeConfigurationRequest request,
        IServerStreamWriter<SubscribeConfigurationResponse> responseStream,
        ServerCallContext context
    ) => SubscribeConfiguration(request, responseStream, context);

    public Task<UnsubscribeConfigurationResponse> UnsubscribeConfiguration(
        UnsubscribeConfigurationRequest request,
        ServerCallContext context
    ) =>
        GrpcErrors.GuardAsync(async () =>
        {
            var ok = await runtime.Configuration.UnsubscribeAsync(request.Id);
            return new UnsubscribeConfigurationResponse
            {
                Ok = ok,
                Message = ok
                    ? ""
                    : $"failed to unsubscribe to configuration request {request.Id}: subscription does not exist",
            };
        });

    public Task<UnsubscribeConfigurationResponse> UnsubscribeConfigurationAlpha1(
        UnsubscribeConfigurationRequest request,
        ServerCallContext context
    ) => UnsubscribeConfiguration(request, context);

    public Task<TryLockResponse> TryLockAlpha1(TryLockRequest request, ServerCallContext context) =>
        throw GrpcErrors.ToRpc(LeftOutApi.NoLockStore());

    public Task<UnlockResponse> UnlockAlpha1(UnlockRequest request, ServerCallContext context) =>
        throw GrpcErrors.ToRpc(LeftOutApi.NoLockStore());

    public Task<ScheduleJobResponse> ScheduleJob(ScheduleJobRequest request, ServerCallContext context) =>
        throw GrpcErrors.ToRpc(
            request.Job switch
            {
                null => LeftOutApi.BadJob(runtime.App, "DAPR_SCHEDULER_EMPTY", "Job is empty"),
                { Name: "" } => LeftOutApi.BadJob(runtime.App, "DAPR_SCHEDULER_JOB_NAME_EMPTY", "Name is empty"),
                { HasSchedule: false, HasDueTime: false } => LeftOutApi.BadJob(
                    runtime.App,
                    "DAPR_SCHEDULER_SCHEDULE_EMPTY",
                    "Schedule is empty"
                ),
                _ => LeftOutApi.NoScheduler(runtime.App, "schedule", "DAPR_SCHEDULER_SCHEDULE_JOB"),
            }
        );

    public Task<ScheduleJobResponse> ScheduleJobAlpha1(ScheduleJobRequest request, ServerCallContext context) =>
        ScheduleJob(request, context);

    public Task<GetJobResponse> GetJob(GetJobRequest request, ServerCallContext context) =>
        throw GrpcErrors.ToRpc(LeftOutApi.NoScheduler(runtime.App, "get", "DAPR_SCHEDULER_GET_JOB"));

    public Task<GetJobResponse> GetJobAlpha1(GetJobRequest request, ServerCallContext context) =>
        GetJob(request, context);

    public Task<DeleteJobResponse> DeleteJob(DeleteJobRequest request, ServerCallContext context) =>
        throw GrpcErrors.ToRpc(LeftOutApi.NoScheduler(runtime.App, "delete", "DAPR_SCHEDULER_DELETE_JOB"));

    public Task<DeleteJobResponse> DeleteJobAlpha1(DeleteJobRequest request, ServerCallContext context) =>
        DeleteJob(request, context);

    public Task<GetMetadataResponse> GetMetadata(GetMetadataRequest request, ServerCallContext context) =>
        Task.FromResult(GrpcMetadata.From(runtime.Describe()));

    public Task<Empty> SetMetadata(SetMetadataRequest request, ServerCallContext context)
    {
        runtime.Extended[request.Key] = request.Value;
        return Task.FromResult(Nothing);
    }

    public Task<Empty> Shutdown(ShutdownRequest request, ServerCallContext context)
    {
        context
            .GetHttpContext()
            .Response.OnCompleted(() =>
            {
                runtime.RequestStop(force: false);
                return Task.CompletedTask;
            });
        return Task.FromResult(Nothing);
    }

    private static ConfigurationItem Item(ConfigurationValue value) =>
        new() { Value = value.Value, Version = value.Version };
}
