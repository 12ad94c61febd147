using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Keys;
using LocalPlus.Wallet.Programs;

namespace LocalPlus.Wallet.Members;

/// <summary>GET /v1/members/{id}, for the programme's merchant and its partners. Refusals: not_found.</summary>
internal static class GetMember
{
    public static IEndpointRouteBuilder MapGetMember(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/members/{id}", HandleAsync)
            .RequireScope("members:read")
            .WorksAcrossMerchants()
            .WithName(nameof(GetMember))
            .Produces<MemberView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        MemberId id,
        Database database,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        await using var db = await database.BeginAsync(cancel);
        var (member, _) = await MemberStore.GetAsync(db, http.GetMerchant(), id, time.GetUtcNow());
        return Answer.Ok(member.ToView(), member.Version);
    }
}

/// <summary>
/// POST /v1/members/find: the member with a number, an address or a telephone, exactly one of them. A person that has
/// left is not found; the number of a membership that was merged finds the one it is part of now. Refusals: not_found,
/// invalid_request.
/// </summary>
internal static class FindMember
{
    internal sealed record Request(
        ProgramId ProgramId,
        string? CardNumber = null,
        string? Email = null,
        string? Phone = null
    );

    public static IEndpointRouteBuilder MapFindMember(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/members/find", HandleAsync)
            .RequireScope("members:read")
            .WorksAcrossMerchants()
            .Refuses(CommonFaults.NotFound)
            .WithName(nameof(FindMember))
            .Produces<MemberView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        Request request,
        PiiVersions versions,
        Database database,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        string?[] names = [request.CardNumber, request.Email, request.Phone];
        new FieldChecks()
            .Require(names.Count(name => name is not null) == 1, "", "exactly_one")
            .Email(request.Email, "/email")
            .Phone(request.Phone, "/phone")
            .Card(request.CardNumber, "/card_number")
            .ThrowIfAny();
        await using var db = await database.BeginAsync(cancel);
        var program = await LoyaltyPrograms.TakenPartInAsync(
            db,
            http.GetMerchant(),
            request.ProgramId,
            time.GetUtcNow()
        );
        var member = await versions.FindAsync(
            db,
            version =>
                db.QuerySingleOrDefaultAsync<MemberRow>(
                    Sql.Find,
                    new
                    {
                        request.ProgramId,
                        CardNumber = request.CardNumber is { } typed ? MemberCard.Parse(typed) : null,
                        EmailLookups = version.Email(program.MerchantId, request.Email)?.All ?? [],
                        PhoneLookups = version.Phone(program.MerchantId, request.Phone)?.All ?? [],
                    }
                )
        );
        return member is null ? throw MemberStore.Absent() : Answer.Ok(member.ToView(), member.Version);
    }

    private static class Sql
    {
        // A merge leads to a membership that is not merged, so one step is all there is.
        public const string Find = $"""
            {MemberRow.Columns}
             WHERE m.member_id = (SELECT coalesce(f.merged_into, f.member_id)
                                    FROM members f
                                   WHERE f.program_id = @ProgramId
                                     AND (f.card_number = @CardNumber
                                          OR f.email_lookup = ANY(@EmailLookups)
                                          OR f.phone_lookup = ANY(@PhoneLookups))
                                   LIMIT 1)
               AND m.state = 'active'
            """;
    }
}

/// <summary>
/// GET /v1/members?program_id=: a programme's members for its merchant, newest first. Refusals: not_found (the
/// programme), invalid_request (limit, cursor).
/// </summary>
internal static class ListMembers
{
    public static IEndpointRouteBuilder MapListMembers(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/members", HandleAsync)
            .RequireScope("members:read")
            .Refuses(CommonFaults.NotFound)
            .WithName(nameof(ListMembers))
            .Produces<Page<MemberView>>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        ProgramId program_id,
        Database database,
        CursorCodec cursors,
        CancellationToken cancel,
        int? limit = null,
        string? cursor = null
    )
    {
        var merchant = http.GetMerchant();
        var filters = $"members|{program_id}";
        var take = CursorCodec.Limit(limit);
        var after = cursors.Read(cursor, merchant.MerchantId, filters);
        await using var db = await database.BeginAsync(cancel);
        await LoyaltyPrograms.OwnAsync(db, merchant, program_id);
        var rows = await db.QueryAsync<MemberRow>(
            Sql.List,
            new
            {
                ProgramId = program_id,
                after.CreatedAt,
                after.Id,
                Take = take + 1,
            }
        );
        return Answer.Ok(
            Page<MemberView>.Of(
                [.. rows.Select(row => row.ToView())],
                take,
                last => cursors.Write(new(last.CreatedAt, last.Id.Value), merchant.MerchantId, filters)
            )
        );
    }

    private static class Sql
    {
        public const string List = $"""
            {MemberRow.Columns}
             WHERE m.program_id = @ProgramId
               AND (m.created_at, m.member_id) < (@CreatedAt, @Id)
             ORDER BY m.created_at DESC, m.member_id DESC
             LIMIT @Take
            """;
    }
}
